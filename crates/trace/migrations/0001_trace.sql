-- 追溯事件、追溯单元及其联系 (§6.4).

CREATE TABLE source_policy (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    name TEXT NOT NULL,
    source @code NOT NULL,
    subject_id @code,
    domain @code,
    stage @code,
    decision @code NOT NULL
);

CREATE TABLE trace_event (
    id BIGINT PRIMARY KEY,
    uid @code NOT NULL UNIQUE,
    digest @code NOT NULL UNIQUE,
    domain @code NOT NULL,
    kind @code NOT NULL,
    stage @code NOT NULL,
    subject_id @code NOT NULL,
    subject_code @code NOT NULL,
    product_id @code,
    lot TEXT,
    region @code NOT NULL,
    event_time BIGINT NOT NULL,
    event_offset BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    source @code NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'rejected', 'accepted', 'superseded')),
    held_reason TEXT,
    body TEXT NOT NULL,
    correction_of @code,
    superseded_by @code,
    decided_by TEXT,
    decided_at BIGINT,
    decision_comment TEXT
);
CREATE INDEX trace_event_time ON trace_event (event_time, id);
CREATE INDEX trace_event_stage ON trace_event (stage, event_time, id);
CREATE INDEX trace_event_subject ON trace_event (subject_id, event_time, id);
CREATE INDEX trace_event_product ON trace_event (product_id, event_time, id);
CREATE INDEX trace_event_region ON trace_event (region, event_time, id);
CREATE INDEX trace_event_lot ON trace_event (lot);
CREATE INDEX trace_event_held ON trace_event (event_time, id) WHERE state = 'held';
@postgres CREATE SEQUENCE trace_event_seq;

CREATE TABLE trace_object (
    id BIGINT PRIMARY KEY,
    code @code NOT NULL UNIQUE,
    product_id @code,
    lot TEXT,
    unit @code NOT NULL,
    subject_id @code NOT NULL,
    stage @code NOT NULL,
    produced BIGINT NOT NULL,
    balance BIGINT NOT NULL CHECK (balance >= 0),
    state TEXT NOT NULL CHECK (state IN ('held', 'sold', 'used', 'external')),
    scans BIGINT NOT NULL DEFAULT 0,
    first_scanned_at BIGINT
);
CREATE INDEX trace_object_lot ON trace_object (lot);
CREATE INDEX trace_object_product ON trace_object (product_id, id);
@postgres CREATE SEQUENCE trace_object_seq;

-- role: 0 input, 1 output, 2 observed.
CREATE TABLE trace_link (
    event_id BIGINT NOT NULL REFERENCES trace_event (id),
    object_id BIGINT NOT NULL REFERENCES trace_object (id),
    role BIGINT NOT NULL CHECK (role IN (0, 1, 2)),
    quantity BIGINT,
    event_time BIGINT NOT NULL,
    PRIMARY KEY (event_id, role, object_id)
);
CREATE INDEX trace_link_object ON trace_link (object_id, role, event_time, event_id);

-- Counts by day, maintained by the capturing transaction; statistics never read the events.
CREATE TABLE trace_rollup (
    day @code NOT NULL,
    region @code NOT NULL,
    domain @code NOT NULL,
    stage @code NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (day, region, domain, stage)
);
