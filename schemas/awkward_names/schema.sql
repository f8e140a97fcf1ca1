CREATE TABLE "Order" (
    "select" INTEGER PRIMARY KEY,
    "Given Name" VARCHAR(30) NOT NULL,
    "weird ""name""" INTEGER,
    "a.b" NUMERIC(6, 2),
    "größe" INTEGER,
    "100%" REAL,
    "x:y" VARCHAR(10),
    "it's" VARCHAR(10),
    " leading" BOOLEAN
);
CREATE TABLE "group" (
    "from" INTEGER NOT NULL REFERENCES "Order" ("select"),
    "to" INTEGER NOT NULL,
    "group" VARCHAR(10),
    PRIMARY KEY ("from", "to")
);
CREATE TABLE "a table.with a name as long as PostgreSQL allows, just 63 bytes" (
    "user" INTEGER NOT NULL,
    "TO" INTEGER NOT NULL,
    "{brace}" DATE,
    FOREIGN KEY ("user", "TO") REFERENCES "group" ("from", "to")
);
