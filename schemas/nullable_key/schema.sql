CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    name VARCHAR(40) NOT NULL,
    card_number INTEGER UNIQUE
);
CREATE TABLE visit (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER REFERENCES customer (id),
    card_number INTEGER REFERENCES customer (card_number),
    spent NUMERIC(7, 2) NOT NULL
);
