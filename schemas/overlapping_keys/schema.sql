CREATE TABLE invoice (
    id INTEGER PRIMARY KEY,
    issued DATE NOT NULL
);
CREATE TABLE invoice_line (
    invoice_id INTEGER NOT NULL REFERENCES invoice (id),
    line_number SMALLINT NOT NULL,
    amount NUMERIC(9, 2) NOT NULL,
    PRIMARY KEY (invoice_id, line_number)
);
CREATE TABLE credit (
    id INTEGER PRIMARY KEY,
    invoice_id INTEGER NOT NULL REFERENCES invoice (id),
    line_number SMALLINT,
    amount NUMERIC(9, 2) NOT NULL,
    FOREIGN KEY (invoice_id, line_number) REFERENCES invoice_line (invoice_id, line_number)
);
