CREATE TABLE t (id serial PRIMARY KEY, tags text[] NOT NULL UNIQUE, doc jsonb NOT NULL UNIQUE,
    span int4range UNIQUE, pause interval UNIQUE, ip inet NOT NULL UNIQUE, bytes bytea UNIQUE);
INSERT INTO t (tags, doc, span, pause, ip, bytes)
SELECT ARRAY['t' || g, 'u'], jsonb_build_object('a', g), int4range(g, g + 2), g * interval '1 minute',
    ('10.0.0.' || g)::inet, decode(lpad(to_hex(g), 4, '0'), 'hex') FROM generate_series(1, 120) g;
