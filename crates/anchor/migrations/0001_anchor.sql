-- What is written to networks that others run (外部锚定): at most one at a time waits or is under way
-- on each contract.

CREATE TABLE ledger_anchor (
    id @code NOT NULL PRIMARY KEY,
    network @code NOT NULL,
    contract @code NOT NULL,
    account TEXT NOT NULL,
    tree_size BIGINT NOT NULL,
    root @code NOT NULL,
    height BIGINT NOT NULL,
    block_id @code NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'confirmed', 'failed')),
    tx TEXT,
    nonce BIGINT,
    price TEXT,
    raw @blob,
    sent_at BIGINT,
    block_number BIGINT,
    block_hash TEXT,
    depth BIGINT,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    confirmed_at BIGINT,
    CHECK (state <> 'sent' OR (tx IS NOT NULL AND nonce IS NOT NULL AND raw IS NOT NULL)),
    CHECK (state <> 'confirmed' OR (block_number IS NOT NULL AND confirmed_at IS NOT NULL))
);
CREATE UNIQUE INDEX ledger_anchor_open ON ledger_anchor (network, contract)
    WHERE state IN ('waiting', 'sent');
