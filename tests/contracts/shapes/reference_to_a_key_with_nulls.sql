CREATE TABLE p (id serial PRIMARY KEY, x int, y int, UNIQUE (x, y));
INSERT INTO p (x, y) SELECT CASE WHEN g % 7 > 0 THEN g / 10 END, g % 10 FROM generate_series(1, 200) g;
CREATE TABLE c (id serial PRIMARY KEY, x int, y int, w int, FOREIGN KEY (x, y) REFERENCES p (x, y));
INSERT INTO c (x, y, w) SELECT x, y, id % 5 FROM p;
INSERT INTO c (x, y) SELECT NULL, 3 FROM generate_series(1, 20);
