CREATE TABLE author (
    id INTEGER PRIMARY KEY,
    name VARCHAR(60) NOT NULL,
    email VARCHAR(120) NOT NULL UNIQUE,
    joined DATE NOT NULL,
    biography TEXT
);
CREATE TABLE post (
    id INTEGER PRIMARY KEY,
    author_id INTEGER NOT NULL REFERENCES author (id),
    title VARCHAR(80) NOT NULL,
    body TEXT NOT NULL,
    published TIMESTAMP,
    views INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX post_author ON post (author_id);
CREATE TABLE comment (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES post (id) ON DELETE CASCADE,
    author_id INTEGER REFERENCES author (id) ON DELETE SET NULL,
    body TEXT NOT NULL,
    rating SMALLINT
);
