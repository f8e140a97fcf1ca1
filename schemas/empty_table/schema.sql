CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    name VARCHAR(40) NOT NULL
);
CREATE TABLE complaint (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    body TEXT NOT NULL,
    severity SMALLINT CHECK (severity BETWEEN 1 AND 5)
);
CREATE TABLE reply (
    complaint_id INTEGER NOT NULL REFERENCES complaint (id),
    sent TIMESTAMP NOT NULL,
    PRIMARY KEY (complaint_id, sent)
);
