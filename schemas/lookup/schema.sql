CREATE TABLE currency (
    code CHAR(3) PRIMARY KEY,
    name VARCHAR(20) NOT NULL,
    digits SMALLINT NOT NULL
);
CREATE TABLE payment_state (
    id SMALLINT PRIMARY KEY,
    label VARCHAR(12) NOT NULL UNIQUE
);
CREATE TABLE payment (
    id INTEGER PRIMARY KEY,
    currency_code CHAR(3) NOT NULL REFERENCES currency (code),
    state_id SMALLINT NOT NULL REFERENCES payment_state (id),
    amount NUMERIC(10, 2) NOT NULL
);
