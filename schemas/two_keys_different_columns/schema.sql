CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    login VARCHAR(20) NOT NULL UNIQUE,
    badge INTEGER NOT NULL UNIQUE,
    role VARCHAR(10) NOT NULL
);
CREATE TABLE entry_log (
    id INTEGER PRIMARY KEY,
    login VARCHAR(20) NOT NULL REFERENCES account (login),
    badge INTEGER REFERENCES account (badge),
    door VARCHAR(8) NOT NULL,
    entered TIMESTAMP NOT NULL
);
