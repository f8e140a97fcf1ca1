CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    name VARCHAR(40) NOT NULL,
    born DATE NOT NULL
);
CREATE TABLE passport (
    person_id INTEGER PRIMARY KEY REFERENCES person (id),
    number CHAR(9) NOT NULL UNIQUE,
    issued DATE NOT NULL
);
