CREATE TABLE slot (
    label VARCHAR(3) NOT NULL,
    shift VARCHAR(8) NOT NULL,
    PRIMARY KEY (label, shift)
);
CREATE TABLE desk (
    room INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (room, number)
);
CREATE TABLE booking (
    id UUID PRIMARY KEY,
    room INTEGER,
    number INTEGER,
    label VARCHAR(3),
    shift VARCHAR(8),
    paid INTEGER NOT NULL,
    UNIQUE NULLS NOT DISTINCT (room, shift),
    FOREIGN KEY (room, number) REFERENCES desk (room, number),
    FOREIGN KEY (label, shift) REFERENCES slot (label, shift) MATCH FULL
);
