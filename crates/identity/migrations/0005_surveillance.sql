-- 等保自查: what the live checks of the controls found; 审计转发: how far the collector has it;
-- networks that administrators and authorities have come from.

CREATE TABLE self_check (
    number @code NOT NULL,
    at BIGINT NOT NULL,
    passed BIGINT NOT NULL CHECK (passed IN (0, 1)),
    finding TEXT NOT NULL,
    PRIMARY KEY (number, at)
);

CREATE TABLE audit_forward (
    lane BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL
);

CREATE TABLE known_place (
    account_id @code NOT NULL REFERENCES account (id),
    network @code NOT NULL,
    first_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, network)
);

-- Whose alarm it is: administrators of one organisation see those of their people. Empty: the
-- platform's own.
ALTER TABLE alarm ADD COLUMN organization_path @code NOT NULL DEFAULT '';
