-- What waits for, and what has found, its place on the ledger (§6.3 DB61/T).

CREATE TABLE anchor_entry (
@sqlite     id INTEGER PRIMARY KEY AUTOINCREMENT,
@postgres     id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record @code NOT NULL UNIQUE,
    org @code NOT NULL,
    envelope TEXT NOT NULL,
    salt @blob NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'packed', 'confirmed')),
    queued_at BIGINT NOT NULL,
    height BIGINT,
    confirmed_at BIGINT
);
CREATE INDEX anchor_entry_open ON anchor_entry (id) WHERE state <> 'confirmed';
CREATE INDEX anchor_entry_height ON anchor_entry (height);

-- What other modules may read.
CREATE VIEW anchor_state AS SELECT record, state, height FROM anchor_entry;
CREATE VIEW anchor_export AS SELECT id, record FROM anchor_entry WHERE state = 'confirmed';
