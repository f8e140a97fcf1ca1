CREATE TABLE parent (
    id INTEGER PRIMARY KEY,
    name VARCHAR(40) NOT NULL
);
CREATE TABLE child (
    id INTEGER PRIMARY KEY,
    parent_id INTEGER NOT NULL REFERENCES parent (id),
    value NUMERIC(8, 2)
);
