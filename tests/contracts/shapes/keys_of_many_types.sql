CREATE TABLE a (k uuid PRIMARY KEY, v int);
INSERT INTO a SELECT md5(g::text)::uuid, g % 9 FROM generate_series(1, 100) g;
CREATE TABLE b (k date PRIMARY KEY, v int);
INSERT INTO b SELECT date '2024-01-01' + g, g % 3 FROM generate_series(1, 90) g;
CREATE TABLE c (k numeric(8, 2) PRIMARY KEY, v int);
INSERT INTO c SELECT g * 1.25, g % 4 FROM generate_series(1, 100) g;
CREATE TABLE d (k timestamptz PRIMARY KEY, v int);
INSERT INTO d SELECT timestamptz '2024-01-01' + g * interval '1 hour', g % 3 FROM generate_series(1, 150) g;
CREATE TABLE e (id serial PRIMARY KEY, a uuid REFERENCES a, b date REFERENCES b, c numeric(8, 2) REFERENCES c,
    d timestamptz REFERENCES d);
INSERT INTO e (a, b, c, d)
SELECT md5((g % 100 + 1)::text)::uuid, date '2024-01-01' + g % 90 + 1, (g % 100 + 1) * 1.25,
    timestamptz '2024-01-01' + (g % 150 + 1) * interval '1 hour' FROM generate_series(1, 300) g;
