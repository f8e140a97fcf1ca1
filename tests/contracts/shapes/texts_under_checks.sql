CREATE DOMAIN code AS text CHECK (value ~ '^[A-Z]{3}-[0-9]+$');
CREATE TABLE t (id serial PRIMARY KEY, code code NOT NULL UNIQUE,
    phone text NOT NULL CHECK (phone ~ '^\+49 [0-9]{3} [0-9]{5}$'),
    email text NOT NULL CHECK (email LIKE '%@corp.example'), name text NOT NULL CHECK (name = upper(name)),
    iban text NOT NULL CHECK (length(iban) = 10), last_name text NOT NULL CHECK (length(last_name) <= 6));
INSERT INTO t (code, phone, email, name, iban, last_name)
SELECT chr(65 + g % 26) || chr(65 + g / 3 % 26) || 'X-' || g, '+49 ' || 100 + g || ' ' || 10000 + g * 37,
    'user' || g || '@corp.example', 'NAME ' || g, lpad((g * 7919)::text, 10, '0'), 'Ln' || g
FROM generate_series(1, 200) g;
