CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    segment VARCHAR(10) NOT NULL
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    total NUMERIC(9, 2) NOT NULL
);
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY,
    subject_type VARCHAR(10) NOT NULL,
    subject_id INTEGER NOT NULL,
    customer_number INTEGER,
    opened DATE NOT NULL
);
