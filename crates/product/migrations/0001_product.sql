-- 重要产品 (§6.3).

CREATE TABLE product (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    code @code NOT NULL UNIQUE,
    gtin @code,
    name TEXT NOT NULL,
    brand TEXT,
    domain @code NOT NULL,
    category TEXT NOT NULL,
    spec TEXT,
    unit @code NOT NULL,
    shelf_life_days BIGINT,
    standard_no TEXT,
    approval_no @code,
    subject_id @code NOT NULL,
    region @code NOT NULL
);
CREATE UNIQUE INDEX product_gtin ON product (gtin);
CREATE INDEX product_subject ON product (subject_id, id);
CREATE INDEX product_region ON product (region, id);
CREATE INDEX product_domain ON product (domain, id);
