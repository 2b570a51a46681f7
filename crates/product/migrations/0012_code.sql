-- 赋码与标识解析 (§5.4.4, DB61/T 6.4.3.2): prefixes, batches of codes, what became of them, links,
-- upstream resolvers, labels.

CREATE TABLE code_rule (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    name TEXT NOT NULL,
    scheme @code NOT NULL,
    prefix @code NOT NULL,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    region @code NOT NULL,
    issuer TEXT,
    valid_until @code,
    levels TEXT,
    in_use BIGINT NOT NULL CHECK (in_use IN (0, 1)),
    UNIQUE (scheme, prefix)
);
CREATE INDEX code_rule_subject ON code_rule (subject_id, id);
CREATE INDEX code_rule_region ON code_rule (region, id);

-- One row for as many as a hundred million codes.
CREATE TABLE code_batch (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    code @code NOT NULL,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    region @code NOT NULL,
    product_id @code REFERENCES product (id),
    scheme @code NOT NULL,
    rule_id @code REFERENCES code_rule (id),
    level @code NOT NULL,
    random BIGINT NOT NULL CHECK (random IN (0, 1)),
    size BIGINT NOT NULL CHECK (size > 0),
    head @code NOT NULL,
    tail @code NOT NULL,
    first_no BIGINT NOT NULL,
    sample @code NOT NULL,
    state @code NOT NULL CHECK (state IN ('planned', 'active', 'void')),
    activated BIGINT NOT NULL DEFAULT 0,
    voided BIGINT NOT NULL DEFAULT 0,
    note TEXT,
    UNIQUE (subject_id, code),
    UNIQUE (head, tail, first_no)
);
CREATE INDEX code_batch_subject ON code_batch (subject_id, id);
CREATE INDEX code_batch_region ON code_batch (region, id);
CREATE INDEX code_batch_product ON code_batch (product_id, id);

-- The key that makes the numbers of a batch of chance, sealed.
CREATE TABLE code_key (
    batch_id @code PRIMARY KEY REFERENCES code_batch (id),
    sealed TEXT NOT NULL
);

-- What was done with a range of a batch; numbers count from 0.
CREATE TABLE code_act (
    id @code PRIMARY KEY,
    batch_id @code NOT NULL REFERENCES code_batch (id),
    verb @code NOT NULL CHECK (verb IN ('activate', 'void', 'loss', 'pack')),
    codes BIGINT NOT NULL,
    lot TEXT,
    produced_on @code,
    expires_on @code,
    reason TEXT,
    done_at BIGINT NOT NULL,
    done_by TEXT NOT NULL
);
CREATE INDEX code_act_batch ON code_act (batch_id, id);

-- What became of ranges; they never overlap. What no range holds was never activated.
CREATE TABLE code_span (
    batch_id @code NOT NULL REFERENCES code_batch (id),
    first_index BIGINT NOT NULL,
    last_index BIGINT NOT NULL CHECK (last_index >= first_index),
    state @code NOT NULL CHECK (state IN ('active', 'void')),
    act_id @code REFERENCES code_act (id),
    PRIMARY KEY (batch_id, first_index)
);

-- Which range is packed in which package; a code is in one at most.
CREATE TABLE code_pack (
    batch_id @code NOT NULL REFERENCES code_batch (id),
    first_index BIGINT NOT NULL,
    last_index BIGINT NOT NULL CHECK (last_index >= first_index),
    parent_batch_id @code NOT NULL REFERENCES code_batch (id),
    parent_index BIGINT NOT NULL,
    act_id @code NOT NULL REFERENCES code_act (id),
    PRIMARY KEY (batch_id, first_index)
);
CREATE INDEX code_pack_parent ON code_pack (parent_batch_id, parent_index);

-- Only codes that were scanned have a row.
CREATE TABLE code_scan (
    batch_id @code NOT NULL REFERENCES code_batch (id),
    number BIGINT NOT NULL,
    scans BIGINT NOT NULL,
    first_scanned_at BIGINT NOT NULL,
    PRIMARY KEY (batch_id, number)
);
