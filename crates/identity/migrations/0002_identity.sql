-- 统一用户管理与权限 (§5.4.3, GB/T 22239 8.1.4.1, 8.1.4.2).

DROP TABLE session;
DROP TABLE account_role;
DROP TABLE account;

CREATE TABLE organization (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL,
    code @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind @code NOT NULL,
    parent_id @code REFERENCES organization (id),
    path @code NOT NULL UNIQUE,
    region @code,
    subject_id @code,
    CHECK (id <> parent_id)
);
CREATE INDEX organization_subject ON organization (subject_id);

CREATE TABLE account (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL,
    user_name @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    organization_id @code NOT NULL REFERENCES organization (id),
    organization_path @code NOT NULL,
    kind @code NOT NULL CHECK (kind IN ('person', 'service')),
    administrator @code NOT NULL CHECK (administrator IN ('none', 'system', 'security', 'audit')),
    clearance BIGINT NOT NULL CHECK (clearance BETWEEN 1 AND 4),
    phone TEXT,
    phone_blind @code,
    email TEXT,
    valid_until @code,
    state @code NOT NULL CHECK (state IN ('invited', 'active', 'locked', 'disabled')),
    remark TEXT,
    UNIQUE (id, administrator)
);
CREATE INDEX account_organization ON account (organization_path, id);
CREATE INDEX account_phone ON account (phone_blind);

-- What an account shows to come in, and what became of its attempts.
CREATE TABLE credential (
    account_id @code PRIMARY KEY REFERENCES account (id),
    verifier TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    must_change BIGINT NOT NULL,
    last_login_at BIGINT
);
CREATE TABLE password_history (
    account_id @code NOT NULL REFERENCES account (id),
    set_at BIGINT NOT NULL,
    verifier TEXT NOT NULL,
    PRIMARY KEY (account_id, set_at)
);
CREATE TABLE factor (
    id @code PRIMARY KEY,
    account_id @code NOT NULL REFERENCES account (id),
    kind @code NOT NULL CHECK (kind IN ('totp', 'webauthn', 'sm2', 'recovery')),
    name TEXT NOT NULL,
    secret TEXT NOT NULL,
    used_step BIGINT NOT NULL DEFAULT 0,
    confirmed BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX factor_account ON factor (account_id, kind);
-- Attempts are counted for every name that was tried, whether it exists or not.
CREATE TABLE login_attempt (
    name_digest @code PRIMARY KEY,
    failures BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);
CREATE TABLE activation (
    digest @code PRIMARY KEY,
    account_id @code REFERENCES account (id),
    purpose @code NOT NULL CHECK (purpose IN ('setup', 'first', 'reset')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE TABLE session (
    token_digest @code PRIMARY KEY,
    id @code NOT NULL UNIQUE,
    account_id @code NOT NULL REFERENCES account (id),
    csrf @code,
    factor @code NOT NULL DEFAULT '',
    proved_at BIGINT NOT NULL,
    address @code NOT NULL,
    agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account_id, seen_at);
CREATE TABLE challenge (
    id @code PRIMARY KEY,
    session_id @code NOT NULL,
    kind @code NOT NULL,
    state TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Rights, apart from users (§5.4.3 b). `permission` mirrors the list of routes.
CREATE TABLE permission (
    name @code PRIMARY KEY,
    title TEXT NOT NULL
);
CREATE TABLE role (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL,
    code @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    parent_id @code REFERENCES role (id),
    path @code NOT NULL UNIQUE,
    permissions TEXT NOT NULL,
    remark TEXT,
    CHECK (id <> parent_id)
);
-- An administrator holds no business right: the foreign key finds no account with 'none' for one.
CREATE TABLE assignment (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL,
    account_id @code NOT NULL,
    administrator @code NOT NULL DEFAULT 'none' CHECK (administrator = 'none'),
    account_path @code NOT NULL,
    role_id @code NOT NULL REFERENCES role (id),
    region @code,
    organization_id @code REFERENCES organization (id),
    category @code,
    stage @code,
    clearance BIGINT NOT NULL CHECK (clearance BETWEEN 1 AND 4),
    valid_from @code,
    valid_until @code,
    FOREIGN KEY (account_id, administrator) REFERENCES account (id, administrator)
);
CREATE INDEX assignment_account ON assignment (account_id);
CREATE INDEX assignment_role ON assignment (role_id);
-- What a security administrator below the top may hand on.
CREATE TABLE delegation (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL,
    account_id @code NOT NULL,
    administrator @code NOT NULL DEFAULT 'security' CHECK (administrator = 'security'),
    account_path @code NOT NULL,
    role_id @code NOT NULL REFERENCES role (id),
    region @code,
    organization_id @code REFERENCES organization (id),
    category @code,
    stage @code,
    clearance BIGINT NOT NULL CHECK (clearance BETWEEN 1 AND 4),
    FOREIGN KEY (account_id, administrator) REFERENCES account (id, administrator)
);
CREATE INDEX delegation_account ON delegation (account_id);

-- Integrity of rights (GB/T 39786 8.4 b, c): one HMAC-SM3 over everything one account or role has.
CREATE TABLE access_seal (
    subject @code PRIMARY KEY,
    mac @code NOT NULL
);
-- Grows with every change of rights, so that every node reads them anew.
CREATE TABLE access_epoch (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    value BIGINT NOT NULL
);
INSERT INTO access_epoch VALUES (1, 1);

-- 告警 (GB/T 22239 8.1.4.4).
CREATE TABLE alarm (
    id @code PRIMARY KEY,
    at BIGINT NOT NULL,
    kind @code NOT NULL,
    subject @code NOT NULL,
    detail TEXT NOT NULL,
    settled_at BIGINT,
    settled_by TEXT,
    comment TEXT
);
CREATE INDEX alarm_open ON alarm (id) WHERE settled_at IS NULL;
