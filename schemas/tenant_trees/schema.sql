CREATE TABLE node (
    tenant INTEGER NOT NULL,
    id INTEGER NOT NULL,
    parent INTEGER,
    twin INTEGER,
    title VARCHAR(30) NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, parent) REFERENCES node (tenant, id),
    FOREIGN KEY (tenant, twin) REFERENCES node (tenant, id)
);
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    node INTEGER,
    FOREIGN KEY (tenant, node) REFERENCES node (tenant, id)
);
CREATE TABLE folder (
    account CHAR(36) NOT NULL,
    id CHAR(36) NOT NULL,
    inside CHAR(36) NOT NULL,
    PRIMARY KEY (account, id),
    FOREIGN KEY (account, inside) REFERENCES folder (account, id)
);
