CREATE TABLE t (id serial PRIMARY KEY, a int NOT NULL, b int NOT NULL,
    c int GENERATED ALWAYS AS (a + b) STORED CHECK (c < 100),
    d text GENERATED ALWAYS AS ('x' || a * 1000 + b) STORED UNIQUE);
INSERT INTO t (a, b) SELECT g % 50, g / 50 FROM generate_series(1, 400) g;
