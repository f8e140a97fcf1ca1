CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    name VARCHAR(40) NOT NULL,
    sex CHAR(1) NOT NULL CHECK (sex IN ('f', 'm')),
    born DATE NOT NULL,
    mother_id INTEGER REFERENCES person (id),
    father_id INTEGER REFERENCES person (id)
);
