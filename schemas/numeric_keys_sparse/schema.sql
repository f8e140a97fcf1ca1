CREATE TABLE client (
    id BIGINT PRIMARY KEY,
    segment VARCHAR(10) NOT NULL
);
CREATE TABLE contract (
    number NUMERIC(12, 0) PRIMARY KEY,
    client_id BIGINT NOT NULL REFERENCES client (id),
    monthly NUMERIC(7, 2) NOT NULL
);
CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    contract_number NUMERIC(12, 0) NOT NULL REFERENCES contract (number),
    seconds INTEGER NOT NULL
);
