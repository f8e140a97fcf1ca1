CREATE TABLE club (
    id INTEGER PRIMARY KEY,
    name VARCHAR(30) NOT NULL,
    town VARCHAR(20) NOT NULL,
    phone VARCHAR(20) UNIQUE,
    UNIQUE (name, town)
);
CREATE TABLE member (
    id INTEGER PRIMARY KEY,
    club_id INTEGER NOT NULL REFERENCES club (id),
    role VARCHAR(10) NOT NULL,
    email VARCHAR(60) NOT NULL,
    number INTEGER,
    seat INTEGER,
    UNIQUE (club_id, number)
);
CREATE UNIQUE INDEX member_owner ON member (club_id) WHERE role = 'owner';
CREATE UNIQUE INDEX member_email ON member (lower(email));
