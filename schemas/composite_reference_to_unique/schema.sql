CREATE TABLE station (
    id INTEGER PRIMARY KEY,
    country CHAR(2) NOT NULL,
    code VARCHAR(5) NOT NULL,
    altitude INTEGER,
    UNIQUE (country, code)
);
CREATE TABLE measurement (
    id INTEGER PRIMARY KEY,
    station_code VARCHAR(5) NOT NULL,
    station_country CHAR(2) NOT NULL,
    taken TIMESTAMP NOT NULL,
    degrees NUMERIC(4, 1) NOT NULL,
    FOREIGN KEY (station_country, station_code) REFERENCES station (country, code)
);
