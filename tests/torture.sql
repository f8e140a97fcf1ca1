-- A schema with one of everything that PostgreSQL has and awkward names besides.
CREATE SCHEMA "Sales Dept";
CREATE SCHEMA "we""ird.name";
CREATE TYPE public.mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TYPE public.pair AS (a integer, b text);
CREATE DOMAIN public.email AS varchar(60) CHECK (VALUE ~ '^[^@]+@[^@]+$' AND VALUE <> 'VALUE@x') NOT NULL;
CREATE DOMAIN public.short_email AS public.email CHECK (char_length(VALUE) < 30);
CREATE FUNCTION public.is_even(n integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT n % 2 = 0';
CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := true; RETURN NEW; END $$;
CREATE FUNCTION public.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;

CREATE TABLE public.customer (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mail public.short_email UNIQUE,
  mood public.mood DEFAULT 'sad',
  "Full Name" text COLLATE "C",
  "select" integer CHECK (public.is_even("select")),
  born date,
  touched boolean NOT NULL DEFAULT false,
  name_length integer GENERATED ALWAYS AS (length("Full Name")) STORED,
  CHECK (born > '1900-01-01' OR born IS NULL)
);
COMMENT ON TABLE public.customer IS 'people; it''s "quoted"';
CREATE UNIQUE INDEX customer_lower ON public.customer (lower("Full Name"), born) WHERE touched;
CREATE UNIQUE INDEX customer_mood ON public.customer ("select", mood) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX customer_covering ON public.customer (id, "select") INCLUDE (mood);
CREATE INDEX customer_born ON public.customer (born);
CREATE TRIGGER stamp BEFORE INSERT ON public.customer FOR EACH ROW EXECUTE FUNCTION public.stamp();

CREATE TABLE "Sales Dept"."Order" (
  "Order No" serial,
  "größe.cm" numeric(8,2),
  customer integer REFERENCES public.customer DEFERRABLE INITIALLY DEFERRED,
  line smallint NOT NULL,
  during tstzrange,
  tags text[],
  facts jsonb,
  PRIMARY KEY ("Order No", line),
  EXCLUDE USING gist (during WITH &&) WHERE (line > 0)
);
ALTER TABLE "Sales Dept"."Order" ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON "Sales Dept"."Order" FOR SELECT USING (line > 1);

CREATE TABLE "we""ird.name"."ta.b'le" (
  "a""b" integer, "line" smallint, "order" integer, counted bigint DEFAULT nextval('"Sales Dept"."Order_Order No_seq"'),
  p public.pair,
  FOREIGN KEY ("order", "line") REFERENCES "Sales Dept"."Order" ("Order No", line) MATCH FULL
);

CREATE TABLE public.animal (id integer PRIMARY KEY, name text);
CREATE TABLE public.dog (barks boolean) INHERITS (public.animal);

CREATE TABLE public.event (id integer NOT NULL, at date NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE public.event_2020 PARTITION OF public.event FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE public.event_2021 PARTITION OF public.event FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY HASH (id);
CREATE TABLE public.event_2021_0 PARTITION OF public.event_2021 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE public.event_2021_1 PARTITION OF public.event_2021 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE public.event_2020 ADD UNIQUE (id), ADD FOREIGN KEY (id) REFERENCES public.customer;
ALTER TABLE public.event_2021_0 ADD UNIQUE (id), ADD FOREIGN KEY (id) REFERENCES public.customer;
ALTER TABLE public.event_2021_1 ADD UNIQUE (id), ADD FOREIGN KEY (id) REFERENCES public.customer;
ALTER TABLE public.event_2020 ADD CONSTRAINT early CHECK (kind <> 'late');

CREATE VIEW public.happy AS SELECT id, mood FROM public.customer WHERE mood = 'happy';
CREATE MATERIALIZED VIEW public.b_totals AS SELECT count(*) AS n FROM public.happy;
CREATE MATERIALIZED VIEW public.a_totals AS SELECT n + 1 AS n FROM public.b_totals;
CREATE MATERIALIZED VIEW public.never AS SELECT 1 AS one WITH NO DATA;
CREATE SEQUENCE public.down INCREMENT -5 MAXVALUE -1 START -5;
CREATE TABLE public.countdown (n integer DEFAULT nextval('public.down'));
CREATE UNLOGGED TABLE public.scratch (n numeric(6,0), big numeric, none integer);

INSERT INTO public.customer (mail, mood, "Full Name", "select", born) VALUES
  ('a@b', 'happy', 'Ann "Q" O''Neil', 2, '2000-02-29'), ('c@d', NULL, '', 4, NULL), ('e@f', 'sad', NULL, NULL, '1990-01-01');
INSERT INTO "Sales Dept"."Order" ("größe.cm", customer, line, during, tags, facts) VALUES
  (1.50, 1, 1, '[2020-01-01,2020-02-01)', '{a,"b,c",NULL}', '{"k": [1, null]}'), (NULL, NULL, 2, NULL, '{}', 'null');
INSERT INTO "we""ird.name"."ta.b'le" VALUES (1, 1, 1, 7, '(1,"x y")'), (2, NULL, NULL, 8, NULL);
INSERT INTO public.animal VALUES (1, 'cat');
INSERT INTO public.dog VALUES (2, 'rex', true);
INSERT INTO public.event VALUES (1, '2020-05-05', 'x'), (1, '2021-05-05', 'y'), (2, '2021-06-06', NULL);
INSERT INTO public.countdown VALUES (-5), (-10);
INSERT INTO public.scratch VALUES (12, 1e400, NULL), ('NaN', 'NaN', NULL);
REFRESH MATERIALIZED VIEW public.b_totals;
REFRESH MATERIALIZED VIEW public.a_totals;
CREATE EVENT TRIGGER ddl ON ddl_command_end EXECUTE FUNCTION public.on_ddl();
