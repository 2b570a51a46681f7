-- 用户、角色授予与会话 (§5.4.3).

CREATE TABLE account (
    id @code PRIMARY KEY,
    user_name @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    organization TEXT NOT NULL,
    subject_id @code,
    salt @blob NOT NULL,
    verifier @blob NOT NULL,
    active BIGINT NOT NULL CHECK (active IN (0, 1)),
    failures BIGINT NOT NULL DEFAULT 0,
    locked_until BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE account_role (
    account_id @code NOT NULL REFERENCES account (id),
    role @code NOT NULL,
    region @code NOT NULL DEFAULT '',
    subject_id @code NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, role, region, subject_id)
);

CREATE TABLE session (
    token_digest @code PRIMARY KEY,
    account_id @code NOT NULL REFERENCES account (id),
    csrf TEXT,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account_id);
