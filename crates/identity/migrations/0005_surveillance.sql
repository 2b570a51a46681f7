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

-- 操作确认 (S-13): what one administrator asks to do to another, and the second word on it.
CREATE TABLE confirmation (
    id @code PRIMARY KEY,
    act @code NOT NULL,
    account_id @code NOT NULL REFERENCES account (id),
    particulars TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requester_kind @code NOT NULL,
    requested_at BIGINT NOT NULL,
    request_reason TEXT NOT NULL,
    confirmed BIGINT NOT NULL CHECK (confirmed IN (0, 1)),
    decided_by TEXT CHECK (decided_by <> requested_by),
    decided_at BIGINT,
    reason TEXT,
    used_at BIGINT,
    CHECK (confirmed = 0 OR decided_by IS NOT NULL)
);
CREATE INDEX confirmation_account ON confirmation (account_id, id);

-- A client waits for the security administrator, and so does every new secret of one.
ALTER TABLE client ADD COLUMN approval @code NOT NULL DEFAULT 'approved'
    CHECK (approval IN ('waiting', 'secret_waiting', 'approved'));
ALTER TABLE client_secret ADD COLUMN approved BIGINT NOT NULL DEFAULT 1 CHECK (approved IN (0, 1));
-- A token is worth as much as the session and the grant it came from.
ALTER TABLE access_token ADD COLUMN session_id @code;
ALTER TABLE access_token ADD COLUMN family @code;
