CREATE SCHEMA sales;
CREATE SCHEMA support;
CREATE SCHEMA "Field Work";
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name VARCHAR(30) NOT NULL
);
CREATE TABLE sales.account (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL UNIQUE REFERENCES public.account (id),
    revenue NUMERIC(10, 2) NOT NULL
);
CREATE TABLE support.account (
    id INTEGER PRIMARY KEY,
    sales_account_id INTEGER REFERENCES sales.account (id),
    open_tickets SMALLINT NOT NULL
);
CREATE TYPE "Field Work".mood AS ENUM ('calm', 'tense');
CREATE TABLE "Field Work".account (
    id INTEGER PRIMARY KEY,
    support_account_id INTEGER NOT NULL REFERENCES support.account (id),
    mood "Field Work".mood NOT NULL
);
CREATE TABLE "Account" (
    id INTEGER PRIMARY KEY,
    account_id INTEGER REFERENCES account (id),
    "Mood" "Field Work".mood[]
);
