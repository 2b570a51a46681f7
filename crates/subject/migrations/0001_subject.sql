-- 追溯主体 (§6.2).

CREATE TABLE trace_subject (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    code @code NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind @code NOT NULL,
    roles TEXT NOT NULL,
    region @code NOT NULL,
    address TEXT,
    lon TEXT,
    lat TEXT,
    node_code @code,
    node_name TEXT,
    product_kinds TEXT,
    contact_name TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    licence_no @code,
    filed_on @code
);
CREATE INDEX trace_subject_region ON trace_subject (region, id);
CREATE INDEX trace_subject_kind ON trace_subject (kind, id);
CREATE INDEX trace_subject_node ON trace_subject (node_code);
