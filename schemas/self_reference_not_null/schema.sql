CREATE TABLE department (
    id INTEGER PRIMARY KEY,
    part_of INTEGER NOT NULL REFERENCES department (id),
    name VARCHAR(30) NOT NULL UNIQUE,
    budget INTEGER NOT NULL
);
