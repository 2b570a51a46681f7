-- 节点与商户 (G-6.2.3).

CREATE TABLE node (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    code @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind @code NOT NULL,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    region @code NOT NULL,
    address TEXT,
    lon TEXT,
    lat TEXT,
    product_kinds TEXT,
    filed_on @code,
    in_use BIGINT NOT NULL CHECK (in_use IN (0, 1))
);
CREATE INDEX node_region ON node (region, id);
CREATE INDEX node_subject ON node (subject_id, id);

CREATE TABLE merchant (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    code @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind @code NOT NULL,
    node_id @code NOT NULL REFERENCES node (id),
    booth TEXT,
    goods TEXT NOT NULL,
    subject_id @code REFERENCES trace_subject (id),
    contact_name TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    contact_phone_blind @code,
    registered_on @code,
    in_use BIGINT NOT NULL CHECK (in_use IN (0, 1)),
    region @code NOT NULL,
    operator_id @code NOT NULL
);
CREATE INDEX merchant_node ON merchant (node_id, id);
CREATE INDEX merchant_region ON merchant (region, id);
CREATE INDEX merchant_kind ON merchant (kind, id);
CREATE INDEX merchant_operator ON merchant (operator_id, id);
CREATE INDEX merchant_subject ON merchant (subject_id);
CREATE INDEX merchant_phone ON merchant (contact_phone_blind);
