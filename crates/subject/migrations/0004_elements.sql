-- The elements of YJ-core A, the state of a subject, what it was called before, its licences and
-- sites (G-6.2.2).

ALTER TABLE trace_subject ADD COLUMN industry_code @code;
ALTER TABLE trace_subject ADD COLUMN legal_rep TEXT;
ALTER TABLE trace_subject ADD COLUMN legal_rep_id_kind @code;
ALTER TABLE trace_subject ADD COLUMN legal_rep_id TEXT;
ALTER TABLE trace_subject ADD COLUMN legal_rep_id_blind @code;
ALTER TABLE trace_subject ADD COLUMN email TEXT;
ALTER TABLE trace_subject ADD COLUMN datum @code;
ALTER TABLE trace_subject ADD COLUMN datum_given @code;
ALTER TABLE trace_subject ADD COLUMN source_system @code;
ALTER TABLE trace_subject ADD COLUMN status @code NOT NULL DEFAULT '40' CHECK (status IN ('40', '60', '70', '80'));
ALTER TABLE trace_subject ADD COLUMN successor_id @code REFERENCES trace_subject (id);
ALTER TABLE trace_subject ADD COLUMN predecessor_id @code REFERENCES trace_subject (id);
CREATE INDEX trace_subject_legal_rep ON trace_subject (legal_rep_id_blind);
CREATE INDEX trace_subject_industry ON trace_subject (industry_code, id);

-- How many codes were issued for a division and a kind, the stem of the code.
CREATE TABLE subject_code_counter (
    stem @code PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE subject_alias (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    code @code NOT NULL UNIQUE,
    kind @code NOT NULL,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    note TEXT,
    region @code NOT NULL
);
CREATE INDEX subject_alias_subject ON subject_alias (subject_id, id);
CREATE INDEX subject_alias_region ON subject_alias (region, id);

CREATE TABLE licence (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    kind @code NOT NULL,
    no @code NOT NULL,
    issuer TEXT NOT NULL,
    valid_from @code NOT NULL,
    valid_to @code,
    region @code NOT NULL,
    UNIQUE (kind, no, subject_id)
);
CREATE INDEX licence_subject ON licence (subject_id, id);
CREATE INDEX licence_region ON licence (region, id);
CREATE INDEX licence_end ON licence (valid_to, id);

CREATE TABLE site (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    subject_code @code NOT NULL,
    name TEXT NOT NULL,
    kind @code NOT NULL,
    region @code NOT NULL,
    address TEXT NOT NULL,
    lon TEXT,
    lat TEXT,
    datum @code,
    datum_given @code,
    node_id @code REFERENCES node (id),
    in_use BIGINT NOT NULL CHECK (in_use IN (0, 1)),
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    UNIQUE (subject_id, region, name)
);
CREATE INDEX site_subject ON site (subject_id, id);
CREATE INDEX site_region ON site (region, id);

CREATE TABLE subject_merger (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    from_id @code NOT NULL UNIQUE REFERENCES trace_subject (id),
    into_id @code NOT NULL REFERENCES trace_subject (id),
    reason TEXT NOT NULL,
    region @code NOT NULL,
    CHECK (from_id <> into_id)
);
CREATE INDEX subject_merger_into ON subject_merger (into_id);
CREATE INDEX subject_merger_region ON subject_merger (region, id);
