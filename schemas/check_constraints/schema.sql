CREATE TABLE offer (
    id INTEGER PRIMARY KEY,
    code VARCHAR(8) NOT NULL CHECK (code ~ '^[A-Z]{3}-[0-9]{4}$'),
    status VARCHAR(10) NOT NULL CHECK (status IN ('draft', 'open', 'closed')),
    percent INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),
    minimum NUMERIC(8, 2) NOT NULL CHECK (minimum > 0),
    maximum NUMERIC(8, 2),
    title VARCHAR(40) NOT NULL CHECK (length(title) >= 3),
    slug VARCHAR(40) NOT NULL CHECK (slug = lower(slug)),
    starts DATE NOT NULL,
    ends DATE,
    closed_at TIMESTAMP,
    CHECK (maximum IS NULL OR maximum >= minimum),
    CONSTRAINT ends_after_start CHECK (ends >= starts),
    CONSTRAINT closed_iff CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);
CREATE TABLE bid (
    id INTEGER PRIMARY KEY,
    offer_id INTEGER NOT NULL REFERENCES offer (id),
    amount NUMERIC(8, 2) NOT NULL CHECK (amount > 0 AND amount < 100000),
    share REAL CHECK (share >= 0.0 AND share <= 1.0),
    parity SMALLINT NOT NULL CHECK (parity % 2 = 0),
    email VARCHAR(60) CHECK (email LIKE '%@%')
);
