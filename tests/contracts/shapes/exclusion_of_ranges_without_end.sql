CREATE TABLE price (id serial PRIMARY KEY, product int NOT NULL, amount numeric(8, 2) NOT NULL,
    valid tstzrange NOT NULL,
    EXCLUDE USING gist (int4range(product, product, '[]') WITH &&, valid WITH &&));
INSERT INTO price (product, amount, valid)
SELECT g % 40, g * 1.1, tstzrange(d, CASE WHEN g / 40 < 4 THEN d + interval '30 days' END)
FROM generate_series(0, 199) g,
    LATERAL (SELECT timestamptz '2024-01-01' + g / 40 * interval '30 days') t (d);
