-- Those who ask to be registered themselves, before anybody knows them (G-6.2.2-1).

-- What an applicant sent is sealed under a key of the row's own, and gone once it has done its work.
CREATE TABLE subject_application (
    id @code PRIMARY KEY,
    receipt @code NOT NULL UNIQUE,
    secret_digest @code NOT NULL,
    at BIGINT NOT NULL,
    code @code,
    name TEXT NOT NULL,
    kind @code NOT NULL,
    region @code NOT NULL,
    roles TEXT NOT NULL,
    product_kinds TEXT NOT NULL,
    body TEXT NOT NULL,
    address_digest @code,
    phone_digest @code NOT NULL,
    state @code NOT NULL CHECK (state IN ('waiting', 'returned', 'rejected', 'approved')),
    subject_id @code REFERENCES trace_subject (id),
    linked BIGINT NOT NULL CHECK (linked IN (0, 1)),
    organization_path @code,
    reason TEXT,
    decided_by TEXT,
    decided_at BIGINT,
    account_id @code,
    opened_by TEXT,
    opened_at BIGINT,
    CHECK ((state = 'waiting') = (decided_by IS NULL)),
    CHECK ((state = 'approved') = (subject_id IS NOT NULL))
);
CREATE INDEX subject_application_state ON subject_application (state, id);
CREATE INDEX subject_application_address ON subject_application (address_digest, at);
CREATE INDEX subject_application_phone ON subject_application (phone_digest, at);
