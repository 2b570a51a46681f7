-- 解析链接与上级解析 (§5.4.4).

CREATE TABLE resolver_link (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    product_id @code NOT NULL REFERENCES product (id),
    lot TEXT,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    region @code NOT NULL,
    link_type @code NOT NULL,
    title TEXT NOT NULL,
    href TEXT NOT NULL,
    language @code NOT NULL,
    media_type @code NOT NULL,
    in_use BIGINT NOT NULL CHECK (in_use IN (0, 1))
);
CREATE INDEX resolver_link_product ON resolver_link (product_id, id);
CREATE INDEX resolver_link_subject ON resolver_link (subject_id, id);
CREATE INDEX resolver_link_region ON resolver_link (region, id);

CREATE TABLE resolver_upstream (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    name TEXT NOT NULL,
    scheme @code NOT NULL,
    prefix @code,
    address TEXT NOT NULL,
    in_use BIGINT NOT NULL CHECK (in_use IN (0, 1))
);
CREATE UNIQUE INDEX resolver_upstream_prefix ON resolver_upstream (scheme, prefix);
