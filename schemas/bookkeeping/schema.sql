CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL PRIMARY KEY
);
CREATE TABLE schema_migrations (
    version VARCHAR(255) NOT NULL PRIMARY KEY
);
CREATE TABLE flyway_schema_history (
    installed_rank INTEGER NOT NULL PRIMARY KEY,
    version VARCHAR(50),
    description VARCHAR(200) NOT NULL,
    script VARCHAR(100) NOT NULL,
    checksum INTEGER,
    installed_on TIMESTAMP NOT NULL,
    success BOOLEAN NOT NULL
);
CREATE TABLE django_migrations (
    id INTEGER PRIMARY KEY,
    app VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    applied TIMESTAMP NOT NULL
);
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    written DATE NOT NULL,
    words INTEGER NOT NULL
);
