ALTER TABLE team ADD FOREIGN KEY (captain_id) REFERENCES player (id);
