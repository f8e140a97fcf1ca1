CREATE TABLE t (id serial PRIMARY KEY, a int NOT NULL, b text NOT NULL CHECK (b <> ''), c date NOT NULL);
CREATE TABLE u (id serial PRIMARY KEY, t int NOT NULL REFERENCES t);
