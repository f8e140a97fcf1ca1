CREATE TABLE vehicle (
    id INTEGER PRIMARY KEY,
    plate VARCHAR(10) NOT NULL,
    wheels SMALLINT NOT NULL CHECK (wheels > 0)
);
CREATE TABLE lorry (
    load_tons NUMERIC(5, 1) NOT NULL,
    PRIMARY KEY (id)
) INHERITS (vehicle);
CREATE TABLE trip (
    id INTEGER PRIMARY KEY,
    lorry_id INTEGER NOT NULL REFERENCES lorry (id),
    kilometres INTEGER NOT NULL
);
