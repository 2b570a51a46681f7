-- What every register and every module stands on.

CREATE TABLE change_request (
    id @code PRIMARY KEY,
    entity @code NOT NULL,
    record @code,
    base_version BIGINT NOT NULL,
    region @code,
    subject_id @code,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('submitted', 'returned', 'approved', 'rejected', 'withdrawn')),
    submitted_by TEXT NOT NULL,
    submitted_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    comment TEXT,
    CHECK (decided_by IS NULL OR state = 'withdrawn' OR decided_by <> submitted_by)
);
CREATE INDEX change_request_open ON change_request (entity, state, id);
CREATE INDEX change_request_own ON change_request (entity, submitted_by, id);

CREATE TABLE audit_log (
    id @code PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    entity @code NOT NULL,
    record @code NOT NULL,
    body TEXT NOT NULL,
    request_id TEXT NOT NULL
);
CREATE INDEX audit_log_record ON audit_log (entity, record, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);

CREATE TABLE outbox (
    id @code PRIMARY KEY,
    at BIGINT NOT NULL,
    topic @code NOT NULL,
    record @code NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE job (
    id @code PRIMARY KEY,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    params TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    done BIGINT NOT NULL DEFAULT 0,
    total BIGINT,
    succeeded BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    result TEXT,
    file @code,
    epoch BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE INDEX job_waiting ON job (state, id);
CREATE INDEX job_own ON job (created_by, id);

CREATE TABLE job_row (
    job_id @code NOT NULL REFERENCES job (id),
    row_no BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'duplicate', 'failed')),
    record @code,
    errors TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (job_id, row_no)
);

CREATE TABLE attachment (
    id @code PRIMARY KEY,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    sm3 @code NOT NULL,
    entity @code,
    record @code,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX attachment_record ON attachment (entity, record);

@sqlite CREATE TABLE sequence (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
