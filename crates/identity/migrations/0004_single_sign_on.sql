-- 单点登录 (§5.4.2 b): connected applications, and log-in through an identity provider above us.

CREATE TABLE application (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL,
    client_id @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    post_logout_uris TEXT,
    backchannel_logout_uri TEXT,
    secret TEXT,
    state @code NOT NULL CHECK (state IN ('active', 'revoked'))
);

-- Authorization codes and refresh tokens; each works once.
CREATE TABLE oidc_grant (
    digest @code PRIMARY KEY,
    kind @code NOT NULL CHECK (kind IN ('code', 'refresh')),
    family @code NOT NULL,
    client_id @code NOT NULL,
    account_id @code NOT NULL,
    session_id @code NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX oidc_grant_family ON oidc_grant (family);

-- Which applications a session has opened, so that all are told when it ends.
CREATE TABLE oidc_visit (
    session_id @code NOT NULL,
    client_id @code NOT NULL,
    account_id @code NOT NULL,
    sid @code NOT NULL,
    begun_at BIGINT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    next_try_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (session_id, client_id)
);

CREATE TABLE signing_key (
    kid @code PRIMARY KEY,
    secret TEXT NOT NULL,
    public TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Log-ins on their way to an identity provider above us, and whom it knows under which name.
CREATE TABLE sso_request (
    state_digest @code PRIMARY KEY,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    target TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE external_identity (
    issuer @code NOT NULL,
    subject @code NOT NULL,
    account_id @code NOT NULL REFERENCES account (id),
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
