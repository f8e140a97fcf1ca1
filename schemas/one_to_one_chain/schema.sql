CREATE TABLE party (
    id INTEGER PRIMARY KEY,
    label VARCHAR(30) NOT NULL
);
CREATE TABLE organisation (
    party_id INTEGER PRIMARY KEY REFERENCES party (id),
    founded SMALLINT NOT NULL
);
CREATE TABLE company (
    organisation_id INTEGER PRIMARY KEY REFERENCES organisation (party_id),
    staff INTEGER NOT NULL
);
CREATE TABLE listed_company (
    company_id INTEGER PRIMARY KEY REFERENCES company (organisation_id),
    ticker VARCHAR(5) NOT NULL UNIQUE,
    price NUMERIC(8, 2) NOT NULL
);
