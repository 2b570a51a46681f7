-- 防篡改检查: what passes looked at and what they found, and records that were erased by law.

CREATE TABLE ledger_pass (
    id @code PRIMARY KEY,
    kind @code NOT NULL CHECK (kind IN ('sample', 'full')),
    state @code NOT NULL CHECK (state IN ('waiting', 'running', 'done')),
    asked_by TEXT,
    began BIGINT NOT NULL,
    ended BIGINT,
    -- How long it worked, without the time it was interrupted.
    worked_ms BIGINT NOT NULL DEFAULT 0,
    blocks BIGINT NOT NULL DEFAULT 0,
    records BIGINT NOT NULL DEFAULT 0,
    entries BIGINT NOT NULL DEFAULT 0,
    facts BIGINT NOT NULL DEFAULT 0,
    erased BIGINT NOT NULL DEFAULT 0,
    findings BIGINT NOT NULL DEFAULT 0,
    height BIGINT NOT NULL DEFAULT 0,
    tree_size BIGINT NOT NULL DEFAULT 0,
    tree_root TEXT,
    block_id TEXT
);
CREATE INDEX ledger_pass_began ON ledger_pass (kind, began);
CREATE INDEX ledger_pass_waiting ON ledger_pass (began) WHERE state <> 'done';

-- One open finding for each record and fault; `fields` holds names with masked values.
CREATE TABLE ledger_finding (
    id @code PRIMARY KEY,
    record @code NOT NULL,
    what @code NOT NULL,
    kind @code NOT NULL,
    name TEXT NOT NULL,
    height BIGINT,
    block_at BIGINT,
    detail TEXT NOT NULL,
    fields TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    first_pass @code NOT NULL,
    last_pass @code NOT NULL,
    state @code NOT NULL CHECK (state IN ('open', 'acknowledged', 'resolved')),
    settled_by TEXT,
    settled_at BIGINT,
    reason TEXT
);
CREATE UNIQUE INDEX ledger_finding_once ON ledger_finding (record, what) WHERE state <> 'resolved';
CREATE INDEX ledger_finding_state ON ledger_finding (state, id);

-- 墓碑: which record was erased, on what ground, and the record on the ledger that says so.
CREATE TABLE ledger_tombstone (
    record @code PRIMARY KEY,
    tombstone @code NOT NULL UNIQUE,
    kind @code NOT NULL,
    ground @code NOT NULL,
    organization TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- What was erased cannot be exported any more.
DROP VIEW anchor_export;
CREATE VIEW anchor_export AS SELECT id, record FROM anchor_entry WHERE state = 'confirmed' AND envelope <> '';
