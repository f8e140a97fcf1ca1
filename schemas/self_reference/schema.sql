CREATE TABLE employee (
    id INTEGER PRIMARY KEY,
    boss_id INTEGER REFERENCES employee (id),
    name VARCHAR(40) NOT NULL,
    title VARCHAR(20) NOT NULL,
    salary NUMERIC(9, 2) NOT NULL,
    hired DATE NOT NULL
);
