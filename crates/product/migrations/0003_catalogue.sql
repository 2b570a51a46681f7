-- 产品分类目录 (§6.3.2): classes as they stand, and what every published version says of them.

CREATE TABLE catalogue (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    code @code NOT NULL UNIQUE CHECK (length(code) IN (2, 4, 6, 8, 10)),
    name TEXT NOT NULL,
    parent_code @code REFERENCES catalogue (code),
    level BIGINT NOT NULL CHECK (level = length(code) / 2),
    region @code,
    gbt7635_1 @code,
    gpc_brick @code,
    hs6 @code,
    legal_list TEXT,
    in_scope_from @code NOT NULL,
    out_of_scope_from @code,
    edition BIGINT,
    draft BIGINT NOT NULL CHECK (draft IN (0, 1)),
    CHECK (edition IS NOT NULL OR draft = 1)
);
CREATE INDEX catalogue_parent ON catalogue (parent_code);

CREATE TABLE catalogue_version (
    number BIGINT PRIMARY KEY,
    effective_on @code NOT NULL,
    published_at BIGINT NOT NULL,
    published_by TEXT NOT NULL,
    note TEXT NOT NULL,
    classes BIGINT NOT NULL
);

-- Only ever added: what version `number` began to say of a class.
CREATE TABLE catalogue_edition (
    code @code NOT NULL,
    number BIGINT NOT NULL REFERENCES catalogue_version (number),
    name TEXT NOT NULL,
    region @code,
    gbt7635_1 @code,
    gpc_brick @code,
    hs6 @code,
    legal_list TEXT,
    in_scope_from @code NOT NULL,
    out_of_scope_from @code,
    PRIMARY KEY (code, number)
);

-- The version that the national classes come with; in force since GB/T 38157—2019 is.
INSERT INTO catalogue_version (number, effective_on, published_at, published_by, note, classes)
VALUES (1, '2019-10-18', 1571328000000, 'platform', '国家分类', 0);
