CREATE TABLE continent (
    id INTEGER PRIMARY KEY,
    name VARCHAR(30) NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE country (
    id INTEGER PRIMARY KEY,
    continent_id INTEGER NOT NULL REFERENCES continent (id),
    name VARCHAR(30) NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE region (
    id INTEGER PRIMARY KEY,
    country_id INTEGER NOT NULL REFERENCES country (id),
    name VARCHAR(30) NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE city (
    id INTEGER PRIMARY KEY,
    region_id INTEGER NOT NULL REFERENCES region (id),
    name VARCHAR(30) NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE street (
    id INTEGER PRIMARY KEY,
    city_id INTEGER NOT NULL REFERENCES city (id),
    name VARCHAR(30) NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE house (
    id INTEGER PRIMARY KEY,
    street_id INTEGER NOT NULL REFERENCES street (id),
    name VARCHAR(30) NOT NULL,
    size INTEGER NOT NULL
);
