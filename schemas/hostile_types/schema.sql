CREATE TYPE mood AS ENUM ('calm', 'glad', 'sad');
CREATE TYPE dimensions AS (width INTEGER, height NUMERIC(6, 2), unit TEXT);
CREATE DOMAIN percentage AS NUMERIC(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN labels AS TEXT[];

CREATE TABLE numbers (
    id SERIAL PRIMARY KEY,
    small SMALLINT,
    hundreds NUMERIC(6, -2),
    bare NUMERIC,
    price NUMERIC(12, 2),
    ratio REAL,
    measure DOUBLE PRECISION,
    tiny DOUBLE PRECISION,
    cost MONEY,
    yes BOOLEAN,
    share percentage,
    constant INTEGER,
    nothing INTEGER,
    reference_number BIGINT,
    object OID,
    relation REGCLASS,
    place PG_LSN,
    flags BIT(8),
    pattern BIT VARYING(12)
);
CREATE TABLE moments (
    id SERIAL PRIMARY KEY,
    day DATE,
    until DATE,
    clock TIME,
    zoned_clock TIMETZ,
    stamp TIMESTAMP,
    expires TIMESTAMPTZ,
    term INTERVAL,
    pause INTERVAL
);
CREATE TABLE words (
    id SERIAL PRIMARY KEY,
    feeling mood,
    code CHAR(6),
    letter "char",
    short_name NAME,
    title TEXT,
    body TEXT,
    tags TEXT[],
    scores INTEGER[],
    moods mood[],
    days DATE[],
    grid INTEGER[],
    parts dimensions[],
    box_size dimensions,
    named labels,
    found TSVECTOR GENERATED ALWAYS AS (to_tsvector('simple', coalesce(title, ''))) STORED,
    filled TSVECTOR,
    query TSQUERY
);
CREATE TABLE documents (
    id SERIAL PRIMARY KEY,
    plan TEXT,
    profile JSONB,
    settings JSON,
    per_user JSONB,
    lines JSONB
);
CREATE TABLE spans (
    id SERIAL PRIMARY KEY,
    kind TEXT,
    whole INT4RANGE,
    large INT8RANGE,
    amounts NUMRANGE,
    days DATERANGE,
    times TSRANGE,
    zoned TSTZRANGE,
    wholes INT4MULTIRANGE,
    larges INT8MULTIRANGE,
    many_amounts NUMMULTIRANGE,
    many_days DATEMULTIRANGE,
    many_times TSMULTIRANGE,
    many_zoned TSTZMULTIRANGE
);
CREATE TABLE places (
    id SERIAL PRIMARY KEY,
    spot POINT,
    area BOX,
    round CIRCLE,
    straight LINE,
    stretch LSEG,
    track PATH,
    outline POLYGON,
    address INET,
    network CIDR,
    hardware MACADDR,
    long_hardware MACADDR8,
    token UUID,
    picture BYTEA
);
CREATE FUNCTION fill_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.filled := to_tsvector('simple', coalesce(new.body, ''));
    RETURN new;
END $$;
CREATE TRIGGER fill_words BEFORE INSERT OR UPDATE ON words
    FOR EACH ROW EXECUTE FUNCTION fill_words();
