CREATE TABLE country (
    code CHAR(2) PRIMARY KEY,
    name VARCHAR(30) NOT NULL UNIQUE
);
CREATE TABLE account (
    id UUID PRIMARY KEY,
    login VARCHAR(30) NOT NULL UNIQUE,
    country_code CHAR(2) NOT NULL REFERENCES country (code)
);
CREATE TABLE calendar (
    day DATE PRIMARY KEY,
    holiday BOOLEAN NOT NULL
);
CREATE TABLE session (
    id UUID PRIMARY KEY,
    login VARCHAR(30) NOT NULL REFERENCES account (login) ON UPDATE CASCADE,
    account_id UUID NOT NULL REFERENCES account (id),
    day DATE NOT NULL REFERENCES calendar (day),
    minutes INTEGER NOT NULL
);
