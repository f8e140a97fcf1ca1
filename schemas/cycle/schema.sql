CREATE TABLE team (
    id INTEGER PRIMARY KEY,
    name VARCHAR(20) NOT NULL UNIQUE,
    league VARCHAR(10) NOT NULL,
    captain_id INTEGER
);
CREATE TABLE player (
    id INTEGER PRIMARY KEY,
    team_id INTEGER NOT NULL REFERENCES team (id),
    name VARCHAR(20) NOT NULL,
    points SMALLINT NOT NULL,
    height NUMERIC(4, 1) NOT NULL
);
