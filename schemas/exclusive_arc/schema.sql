CREATE TABLE post (
    id INTEGER PRIMARY KEY,
    title VARCHAR(40) NOT NULL
);
CREATE TABLE comment (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES post (id),
    words SMALLINT NOT NULL
);
CREATE TABLE attachment (
    id INTEGER PRIMARY KEY,
    post_id INTEGER REFERENCES post (id),
    comment_id INTEGER REFERENCES comment (id),
    bytes INTEGER NOT NULL,
    CHECK ((post_id IS NULL) <> (comment_id IS NULL))
);
