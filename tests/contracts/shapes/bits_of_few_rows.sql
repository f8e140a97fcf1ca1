-- Bit strings of which few rows are long: what stands in the last places is a flag like others.
CREATE TABLE reading (id INTEGER PRIMARY KEY, flags BIT VARYING(9));
INSERT INTO reading
SELECT i, left((i * 37 % 512)::BIT(9)::TEXT, CASE WHEN i % 20 = 0 THEN 9 ELSE 1 + i % 6 END)::BIT VARYING(9)
FROM generate_series(1, 70) i;
