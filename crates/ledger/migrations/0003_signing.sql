-- The leaf of each record is computed where the record is queued; until `due_at` its organisation
-- may sign it itself (D-6.3). What may and what may not sign stands on the ledger's own file.

ALTER TABLE anchor_entry ADD COLUMN leaf @blob;
ALTER TABLE anchor_entry ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
DROP INDEX anchor_entry_open;
CREATE INDEX anchor_entry_due ON anchor_entry (due_at, id) WHERE state <> 'confirmed';
CREATE INDEX anchor_entry_unsigned ON anchor_entry (org, id) WHERE state <> 'confirmed' AND due_at > 0;

-- Keys that people have approved or revoked, until a block says so.
CREATE TABLE ledger_key_order (
@sqlite     id INTEGER PRIMARY KEY AUTOINCREMENT,
@postgres     id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    act TEXT NOT NULL CHECK (act IN ('enrol', 'revoke')),
    org @code NOT NULL,
    kid @code NOT NULL,
    public_key TEXT NOT NULL,
    certificate TEXT NOT NULL,
    ordered_at BIGINT NOT NULL,
    height BIGINT
);
CREATE INDEX ledger_key_order_open ON ledger_key_order (id) WHERE height IS NULL;

CREATE VIEW ledger_key_state AS SELECT act, org, kid, height FROM ledger_key_order;
