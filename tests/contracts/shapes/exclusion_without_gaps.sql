CREATE TABLE shift (id serial PRIMARY KEY, days daterange NOT NULL, EXCLUDE USING gist (days WITH &&));
INSERT INTO shift (days)
SELECT daterange(date '2024-01-01' + g * 7, date '2024-01-08' + g * 7) FROM generate_series(1, 60) g;
