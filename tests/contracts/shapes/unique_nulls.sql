CREATE TABLE t (id serial PRIMARY KEY, a int, b text, c int, UNIQUE NULLS NOT DISTINCT (a, b));
CREATE UNIQUE INDEX ON t (coalesce(c, -1), lower(b));
CREATE UNIQUE INDEX ON t (c) WHERE b IS NULL;
INSERT INTO t (a, b, c) SELECT g, CASE WHEN g % 5 > 0 THEN 'b' || g % 40 END, g FROM generate_series(1, 100) g;
