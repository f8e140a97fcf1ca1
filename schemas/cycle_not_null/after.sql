ALTER TABLE country ADD FOREIGN KEY (capital_id) REFERENCES city (id);
