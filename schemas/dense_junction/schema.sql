CREATE TABLE warehouse (
    id INTEGER PRIMARY KEY,
    town VARCHAR(20) NOT NULL
);
CREATE TABLE product (
    id INTEGER PRIMARY KEY,
    label VARCHAR(20) NOT NULL,
    price NUMERIC(8, 2) NOT NULL
);
CREATE TABLE stock (
    warehouse_id INTEGER NOT NULL REFERENCES warehouse (id),
    product_id INTEGER NOT NULL REFERENCES product (id),
    pieces INTEGER NOT NULL CHECK (pieces >= 0),
    PRIMARY KEY (warehouse_id, product_id)
);
