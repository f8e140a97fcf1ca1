CREATE TABLE a (id int PRIMARY KEY, x int);
CREATE TABLE b (id int PRIMARY KEY REFERENCES a, y int);
CREATE TABLE c (id serial PRIMARY KEY, k int NOT NULL REFERENCES a, v int, FOREIGN KEY (k) REFERENCES b);
INSERT INTO a SELECT g, g % 5 FROM generate_series(1, 100) g;
INSERT INTO b SELECT g, g % 3 FROM generate_series(1, 60) g;
INSERT INTO c (k, v) SELECT g % 60 + 1, g % 4 FROM generate_series(1, 200) g;
