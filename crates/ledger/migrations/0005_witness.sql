-- 见证 (G-10.4): who countersigns the log, how far each came, and what they object to.

CREATE TABLE ledger_witness (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    organization TEXT NOT NULL,
    verifier_key @code NOT NULL UNIQUE,
    address TEXT,
    since @code NOT NULL,
    lag_minutes BIGINT NOT NULL CHECK (lag_minutes BETWEEN 1 AND 10080),
    active BIGINT NOT NULL CHECK (active IN (0, 1))
);

-- The newest checkpoint that each key countersigned. Not part of the register: it changes by
-- itself.
CREATE TABLE ledger_witness_mark (
    verifier_key @code PRIMARY KEY,
    size BIGINT NOT NULL,
    height BIGINT NOT NULL,
    -- When the witness says it signed, in milliseconds.
    signed_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);

-- What witnesses object to, with both notes. Never changed but for being looked at.
CREATE TABLE ledger_witness_alarm (
    id @code PRIMARY KEY,
    -- SM3 over who, what and both notes: the same objection is kept once.
    digest @code NOT NULL UNIQUE,
    verifier_key @code NOT NULL,
    organization TEXT NOT NULL,
    kind @code NOT NULL,
    detail TEXT NOT NULL,
    -- Whether the two notes alone prove it.
    proven BIGINT NOT NULL CHECK (proven IN (0, 1)),
    seen_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX ledger_witness_alarm_key ON ledger_witness_alarm (verifier_key, id);
