-- Subjects that come from elsewhere: what was received, and what contradicts the register (G-6.2.2).

-- What was received, by the keyed digest of its content, and what was answered.
CREATE TABLE subject_receipt (
    digest @code PRIMARY KEY,
    at BIGINT NOT NULL,
    answer TEXT NOT NULL
);

-- A code of ours that came with another name. What came is sealed under a key of the row's own.
CREATE TABLE subject_conflict (
    id @code PRIMARY KEY,
    at BIGINT NOT NULL,
    code @code NOT NULL,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    our_name TEXT NOT NULL,
    their_name TEXT NOT NULL,
    body TEXT NOT NULL,
    source TEXT NOT NULL,
    channel @code NOT NULL CHECK (channel IN ('import', 'api')),
    sent_by TEXT NOT NULL,
    state @code NOT NULL CHECK (state IN ('open', 'kept', 'taken', 'corrected')),
    change_request @code,
    reason TEXT,
    decided_by TEXT,
    decided_at BIGINT,
    CHECK ((state = 'open') = (decided_by IS NULL))
);
CREATE INDEX subject_conflict_state ON subject_conflict (state, id);
CREATE INDEX subject_conflict_subject ON subject_conflict (subject_id, id);
CREATE UNIQUE INDEX subject_conflict_open ON subject_conflict (code, their_name, source) WHERE state = 'open';
