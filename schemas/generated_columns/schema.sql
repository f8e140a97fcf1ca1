CREATE TABLE product (
    id INTEGER PRIMARY KEY,
    name VARCHAR(30) NOT NULL,
    name_key VARCHAR(30) GENERATED ALWAYS AS (lower(name)) STORED UNIQUE,
    net NUMERIC(8, 2) NOT NULL
);
CREATE TABLE line (
    id INTEGER PRIMARY KEY,
    product_id INTEGER NOT NULL REFERENCES product (id),
    quantity INTEGER NOT NULL,
    price NUMERIC(8, 2) NOT NULL,
    total NUMERIC(12, 2) GENERATED ALWAYS AS (quantity * price) STORED
);
