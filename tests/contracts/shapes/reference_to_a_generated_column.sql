CREATE TABLE p (id serial PRIMARY KEY, code text NOT NULL,
    folded text GENERATED ALWAYS AS (lower(code)) STORED UNIQUE);
INSERT INTO p (code) SELECT 'Code' || g FROM generate_series(1, 60) g;
CREATE TABLE c (id serial PRIMARY KEY, folded text REFERENCES p (folded), v int);
INSERT INTO c (folded, v) SELECT 'code' || g % 60 + 1, g % 7 FROM generate_series(1, 200) g;
