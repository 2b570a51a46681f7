-- 存证密钥 (D-6.3-1): with which organisations sign what is anchored in their name.

CREATE TABLE evidence_key (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    subject_code @code NOT NULL,
    kid @code NOT NULL,
    public_key @code NOT NULL UNIQUE,
    proof TEXT NOT NULL,
    certificate TEXT,
    note TEXT,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    region @code NOT NULL,
    certificate_name TEXT,
    certificate_digest @code,
    certificate_until @code,
    state @code NOT NULL CHECK (state IN ('active', 'revoked')),
    UNIQUE (subject_code, kid)
);
CREATE INDEX evidence_key_subject ON evidence_key (subject_id, id);
CREATE INDEX evidence_key_region ON evidence_key (region, id);
