CREATE TABLE node (
    id INTEGER PRIMARY KEY
);
CREATE TABLE edge (
    tail INTEGER NOT NULL REFERENCES node (id),
    head INTEGER NOT NULL REFERENCES node (id),
    PRIMARY KEY (tail, head)
);
