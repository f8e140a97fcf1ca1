CREATE TABLE sensor (
    id INTEGER PRIMARY KEY,
    place VARCHAR(20) NOT NULL
);
CREATE TABLE reading (
    sensor_id INTEGER NOT NULL REFERENCES sensor (id),
    taken TIMESTAMP NOT NULL,
    value REAL
);
CREATE TABLE event_log (
    level VARCHAR(8),
    message VARCHAR(40)
);
