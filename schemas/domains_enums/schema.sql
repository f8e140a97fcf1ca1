CREATE DOMAIN email AS VARCHAR(80) CHECK (VALUE ~ '^[^@ ]+@[^@ ]+$');
CREATE DOMAIN percentage AS NUMERIC(5, 2) NOT NULL CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN positive AS INTEGER CHECK (VALUE > 0);
CREATE DOMAIN small_positive AS positive DEFAULT 1 CHECK (VALUE < 1000);
CREATE TYPE mood AS ENUM ('sad', 'even', 'glad', 'it''s "fine"');
CREATE TYPE size AS (width INTEGER, height INTEGER);
CREATE TABLE respondent (
    id INTEGER PRIMARY KEY,
    contact email UNIQUE,
    mood mood NOT NULL DEFAULT 'even',
    earlier_moods mood[],
    desk size
);
CREATE TABLE answer (
    respondent_id INTEGER NOT NULL REFERENCES respondent (id),
    question small_positive,
    agreement percentage,
    PRIMARY KEY (respondent_id, question)
);
