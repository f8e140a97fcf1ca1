CREATE TABLE t (id int PRIMARY KEY, name text);
CREATE TABLE u (t int REFERENCES t, id int, PRIMARY KEY (t, id));
CREATE TABLE g (t int REFERENCES t, id int, owner int, PRIMARY KEY (t, id), FOREIGN KEY (t, owner) REFERENCES u);
CREATE TABLE m (t int, g int, u int, since date, PRIMARY KEY (t, g, u),
    FOREIGN KEY (t, g) REFERENCES g, FOREIGN KEY (t, u) REFERENCES u);
INSERT INTO t SELECT g, 'T' || g FROM generate_series(1, 10) g;
INSERT INTO u SELECT g % 10 + 1, g / 10 FROM generate_series(0, 99) g;
INSERT INTO g SELECT g % 10 + 1, g / 10, CASE WHEN g % 3 > 0 THEN g % 10 END FROM generate_series(0, 49) g;
INSERT INTO m SELECT g.t, g.id, u.id, '2024-01-01' FROM g JOIN u USING (t) WHERE (g.id + u.id) % 2 = 0;
