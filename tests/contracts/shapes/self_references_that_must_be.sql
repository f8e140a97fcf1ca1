CREATE TABLE n (id int PRIMARY KEY, root int NOT NULL REFERENCES n, parent int UNIQUE REFERENCES n, level int);
INSERT INTO n SELECT g, 1, nullif(g - 1, 0), g FROM generate_series(1, 50) g;
