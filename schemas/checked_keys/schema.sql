CREATE TABLE locker (
    id INTEGER PRIMARY KEY CHECK (id % 2 = 0),
    floor INTEGER NOT NULL
);
CREATE TABLE guest (
    room INTEGER PRIMARY KEY CHECK (room <> 13),
    locker_id INTEGER REFERENCES locker (id),
    badge BIGINT NOT NULL UNIQUE CHECK (badge > 1000 AND badge % 100 = 1)
);
CREATE TABLE shift (
    id BIGINT PRIMARY KEY CHECK (id BETWEEN 1000 AND 1499),
    crew INTEGER NOT NULL,
    CHECK (id > crew)
);
