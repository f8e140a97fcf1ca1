CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    name VARCHAR(40) NOT NULL,
    city VARCHAR(20) NOT NULL
);
CREATE TABLE rental (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    started DATE NOT NULL,
    ended DATE
);
CREATE TABLE payment (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    rental_id INTEGER NOT NULL REFERENCES rental (id),
    amount NUMERIC(7, 2) NOT NULL,
    paid DATE NOT NULL
);
