-- 批次凭证 (handbook §4.1): what goes with a batch, what it covers, and how much of it is used up.

CREATE TABLE batch_document (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    kind @code NOT NULL,
    number @code NOT NULL,
    issuer TEXT NOT NULL,
    subject_id @code NOT NULL,
    region @code NOT NULL,
    product_id @code,
    product TEXT NOT NULL,
    quantity BIGINT CHECK (quantity > 0),
    unit @code,
    issued_on @code NOT NULL,
    valid_until @code,
    origin TEXT,
    basis @code,
    promise TEXT,
    contact TEXT,
    units TEXT,
    origins TEXT,
    vehicle_no @code,
    depart_at BIGINT,
    arrive_at BIGINT,
    state TEXT NOT NULL CHECK (state IN ('valid', 'reissued', 'void')),
    void_reason TEXT,
    CHECK ((quantity IS NULL) = (unit IS NULL))
);
CREATE UNIQUE INDEX batch_document_once ON batch_document (kind, number, issuer);
CREATE INDEX batch_document_number ON batch_document (number);
CREATE INDEX batch_document_subject ON batch_document (subject_id, id);
CREATE INDEX batch_document_region ON batch_document (region, id);
CREATE INDEX batch_document_vehicle ON batch_document (vehicle_no) WHERE vehicle_no IS NOT NULL;

CREATE TABLE batch_document_unit (
    document_id @code NOT NULL REFERENCES batch_document (id),
    code @code NOT NULL,
    PRIMARY KEY (document_id, code)
);
CREATE INDEX batch_document_unit_code ON batch_document_unit (code);

-- source: the event, or the certificate made out of it. giver: whose goods went under it; each may pass
-- on what it says once. side: 0 given, 1 received, 2 made out anew.
CREATE TABLE batch_document_use (
    document_id @code NOT NULL REFERENCES batch_document (id),
    source @code NOT NULL,
    giver @code NOT NULL,
    side BIGINT NOT NULL CHECK (side IN (0, 1, 2)),
    quantity BIGINT NOT NULL,
    PRIMARY KEY (document_id, source)
);
CREATE INDEX batch_document_use_source ON batch_document_use (source);

-- 入场无凭证: admissions to a market without any voucher.
CREATE TABLE batch_document_gap (
    event @code PRIMARY KEY,
    subject_id @code NOT NULL,
    region @code NOT NULL,
    day @code NOT NULL
);
CREATE INDEX batch_document_gap_day ON batch_document_gap (day, subject_id);
