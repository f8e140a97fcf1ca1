CREATE TABLE room (id int PRIMARY KEY, label text);
INSERT INTO room SELECT g, 'Room ' || g FROM generate_series(1, 20) g;
CREATE TABLE booking (id serial PRIMARY KEY, room int NOT NULL REFERENCES room,
    starts timestamp NOT NULL, ends timestamp NOT NULL,
    EXCLUDE USING gist (int4range(room, room, '[]') WITH &&, tsrange(starts, ends) WITH &&));
INSERT INTO booking (room, starts, ends)
SELECT g % 20 + 1, d, d + interval '5 hours'
FROM generate_series(1, 400) g, LATERAL (SELECT timestamp '2024-01-01' + g / 20 * interval '1 day') t (d);
