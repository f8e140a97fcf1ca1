CREATE TABLE room (
    id INTEGER PRIMARY KEY,
    label VARCHAR(10) NOT NULL
);
CREATE TABLE booking (
    id INTEGER PRIMARY KEY,
    room_id INTEGER NOT NULL REFERENCES room (id),
    during TSRANGE NOT NULL,
    cancelled BOOLEAN NOT NULL DEFAULT false,
    EXCLUDE USING gist (int4range(room_id, room_id, '[]') WITH &&, during WITH &&)
        WHERE (NOT cancelled)
);
