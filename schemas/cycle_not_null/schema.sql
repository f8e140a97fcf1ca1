CREATE TABLE country (
    id INTEGER PRIMARY KEY,
    name VARCHAR(30) NOT NULL,
    area INTEGER NOT NULL,
    capital_id INTEGER NOT NULL
);
CREATE TABLE city (
    id INTEGER PRIMARY KEY,
    country_id INTEGER NOT NULL REFERENCES country (id),
    name VARCHAR(30) NOT NULL,
    inhabitants INTEGER NOT NULL
);
