CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL UNIQUE, v int);
CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL UNIQUE REFERENCES a, w int);
INSERT INTO a SELECT g, g, g % 5 FROM generate_series(1, 80) g;
INSERT INTO b SELECT g, g, g % 3 FROM generate_series(1, 80) g;
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
