CREATE TABLE tenant (
    id INTEGER PRIMARY KEY,
    name VARCHAR(30) NOT NULL,
    plan VARCHAR(10) NOT NULL
);
CREATE TABLE project (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    id INTEGER NOT NULL,
    name VARCHAR(30) NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE member (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    id INTEGER NOT NULL,
    email VARCHAR(60) NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);
CREATE TABLE assignment (
    tenant_id INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    hours NUMERIC(5, 1) NOT NULL,
    PRIMARY KEY (tenant_id, project_id, member_id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id)
);
