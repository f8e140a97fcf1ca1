CREATE TABLE building (
    city VARCHAR(12) NOT NULL,
    number INTEGER NOT NULL,
    floors SMALLINT NOT NULL,
    PRIMARY KEY (city, number)
);
CREATE TABLE room (
    city VARCHAR(12) NOT NULL,
    building_number INTEGER NOT NULL,
    label VARCHAR(6) NOT NULL,
    seats SMALLINT NOT NULL,
    PRIMARY KEY (city, building_number, label),
    FOREIGN KEY (city, building_number) REFERENCES building (city, number)
);
CREATE TABLE booking (
    id INTEGER PRIMARY KEY,
    city VARCHAR(12) NOT NULL,
    building_number INTEGER NOT NULL,
    label VARCHAR(6) NOT NULL,
    day DATE NOT NULL,
    people SMALLINT NOT NULL,
    FOREIGN KEY (city, building_number, label) REFERENCES room (city, building_number, label)
);
