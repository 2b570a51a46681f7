-- A reviewer sees requests only up to the label they are cleared for.

ALTER TABLE change_request ADD COLUMN label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4);

-- What was erased lately is told to the witness outside the database.
CREATE INDEX data_key_destroyed ON data_key (destroyed_at);

-- What one user has stored today is bounded.
CREATE INDEX attachment_author ON attachment (created_by, created_at);
