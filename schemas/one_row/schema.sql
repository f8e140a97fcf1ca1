CREATE TABLE settings (
    single INTEGER PRIMARY KEY CHECK (single = 1),
    name VARCHAR(30) NOT NULL,
    launched DATE NOT NULL,
    threshold REAL
);
CREATE TABLE owner (
    id INTEGER PRIMARY KEY,
    name VARCHAR(30) NOT NULL
);
CREATE TABLE asset (
    id INTEGER PRIMARY KEY,
    owner_id INTEGER NOT NULL REFERENCES owner (id),
    value NUMERIC(9, 2) NOT NULL
);
