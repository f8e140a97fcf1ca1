CREATE TABLE airport (
    code CHAR(3) PRIMARY KEY,
    name VARCHAR(40) NOT NULL,
    hub BOOLEAN NOT NULL
);
CREATE TABLE flight (
    id INTEGER PRIMARY KEY,
    origin CHAR(3) NOT NULL REFERENCES airport (code),
    destination CHAR(3) NOT NULL REFERENCES airport (code),
    departs TIMESTAMP NOT NULL,
    arrives TIMESTAMP NOT NULL,
    seats SMALLINT NOT NULL,
    CHECK (origin <> destination),
    CHECK (arrives > departs)
);
