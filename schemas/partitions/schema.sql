CREATE TABLE station (
    id INTEGER PRIMARY KEY,
    name VARCHAR(20) NOT NULL
);
CREATE TABLE auditor (
    id INTEGER PRIMARY KEY,
    name VARCHAR(20) NOT NULL
);
CREATE TABLE measurement (
    id INTEGER NOT NULL,
    day DATE NOT NULL,
    station_id INTEGER NOT NULL REFERENCES station (id),
    auditor_id INTEGER,
    kind CHAR(1) NOT NULL,
    value NUMERIC(6, 2),
    PRIMARY KEY (id, day, kind)
) PARTITION BY RANGE (day);
CREATE TABLE measurement_2023 PARTITION OF measurement
    FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE measurement_2024 PARTITION OF measurement
    FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (kind);
CREATE TABLE measurement_2024_a PARTITION OF measurement_2024 FOR VALUES IN ('a');
CREATE TABLE measurement_2024_other PARTITION OF measurement_2024 DEFAULT;
CREATE TABLE measurement_other PARTITION OF measurement DEFAULT;
ALTER TABLE measurement_2023 ADD FOREIGN KEY (auditor_id) REFERENCES auditor (id);
CREATE TABLE correction (
    id INTEGER PRIMARY KEY,
    measurement_id INTEGER NOT NULL,
    day DATE NOT NULL,
    kind CHAR(1) NOT NULL,
    delta NUMERIC(5, 2) NOT NULL,
    FOREIGN KEY (measurement_id, day, kind) REFERENCES measurement (id, day, kind)
);
