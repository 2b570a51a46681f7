-- 接口客户端: how applications and enterprise systems come in (S-38, S-49). Rights belong to the
-- service account behind a client.

CREATE TABLE client (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL,
    client_id @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    account_id @code NOT NULL REFERENCES account (id),
    account_path @code NOT NULL,
    method @code NOT NULL CHECK (method IN ('oauth', 'hmac-sm3', 'sm2-sm3')),
    public_key @code,
    networks TEXT,
    quota_per_minute BIGINT NOT NULL,
    valid_until @code,
    state @code NOT NULL CHECK (state IN ('active', 'revoked'))
);
CREATE INDEX client_account ON client (account_id);

CREATE TABLE client_secret (
    id @code PRIMARY KEY,
    client_id @code NOT NULL REFERENCES client (client_id),
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX client_secret_client ON client_secret (client_id);

CREATE TABLE access_token (
    token_digest @code PRIMARY KEY,
    client_id @code NOT NULL,
    account_id @code NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_token_client ON access_token (client_id);

-- What was signed once is not taken again.
CREATE TABLE nonce (
    client_id @code NOT NULL,
    nonce @code NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, nonce)
);
CREATE INDEX nonce_expires ON nonce (expires_at);
