-- Keys as large as a number of 64 bits can be, which as floats are larger than that.
CREATE TABLE last (id BIGINT PRIMARY KEY, first BIGINT NOT NULL UNIQUE, label TEXT);
INSERT INTO last
SELECT 9223372036854775807 - i, i - 9223372036854775808, 'label ' || i % 3
FROM generate_series(0, 99) i;
