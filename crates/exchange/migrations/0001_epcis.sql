-- EPCIS 事件、采集、命名查询与订阅 (ISO/IEC 19987, G-8).

-- One capture: a document that came, or a single event.
CREATE TABLE epcis_capture (
    id @code PRIMARY KEY,
    created_at BIGINT NOT NULL,
    created_by @code NOT NULL,
    finished_at BIGINT,
    state @code NOT NULL CHECK (state IN ('receiving', 'running', 'done', 'failed')),
    behaviour @code NOT NULL CHECK (behaviour IN ('rollback', 'proceed')),
    form @code NOT NULL CHECK (form IN ('json', 'xml')),
    context TEXT,
    job_id @code,
    checked BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    told BIGINT NOT NULL,
    untold TEXT NOT NULL,
    errors TEXT NOT NULL
);
CREATE INDEX epcis_capture_owner ON epcis_capture (created_by, id);
CREATE INDEX epcis_capture_open ON epcis_capture (created_at) WHERE state IN ('receiving', 'running');

-- A document that waits to be read, in parts, sealed under the key of its capture.
CREATE TABLE epcis_part (
    capture_id @code NOT NULL,
    part BIGINT NOT NULL,
    bytes @blob NOT NULL,
    PRIMARY KEY (capture_id, part)
);

-- Numbers of events in the order in which they were recorded: whoever holds the row is the only
-- one who records.
CREATE TABLE epcis_sequence (
    id BIGINT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO epcis_sequence (id, value) VALUES (1, 0);

CREATE TABLE epcis_event (
    seq BIGINT PRIMARY KEY,
    uid @code NOT NULL UNIQUE,
    event_id @code NOT NULL,
    declared BIGINT NOT NULL,
    declared_at BIGINT,
    hash @code NOT NULL,
    sm3 @code NOT NULL,
    subject_id @code NOT NULL,
    region @code NOT NULL,
    domain @code,
    stage @code,
    capture_id @code NOT NULL,
    action @code,
    event_time BIGINT NOT NULL,
    record_time BIGINT NOT NULL,
    sensors BIGINT NOT NULL,
    own_id BIGINT NOT NULL,
    body TEXT NOT NULL,
    trace_uid @code,
    reason @code,
    detail TEXT,
    UNIQUE (subject_id, event_id, declared)
);
CREATE INDEX epcis_event_id ON epcis_event (event_id);
CREATE INDEX epcis_event_time ON epcis_event (event_time, seq);
CREATE INDEX epcis_event_record ON epcis_event (record_time, seq);
CREATE INDEX epcis_event_subject ON epcis_event (subject_id, seq);
CREATE INDEX epcis_event_capture ON epcis_event (capture_id, seq);
CREATE INDEX epcis_event_trace ON epcis_event (trace_uid) WHERE trace_uid IS NOT NULL;

-- What events mention, in one spelling (`term`) and as it was sent (`raw`).
CREATE TABLE epcis_term (
    role @code NOT NULL,
    term @code NOT NULL,
    seq BIGINT NOT NULL,
    raw @code NOT NULL,
    PRIMARY KEY (role, term, seq)
);
CREATE INDEX epcis_term_raw ON epcis_term (role, raw);

CREATE TABLE epcis_query (
    id @code PRIMARY KEY,
    owner @code NOT NULL,
    name @code NOT NULL,
    created_at BIGINT NOT NULL,
    query TEXT NOT NULL,
    UNIQUE (owner, name)
);

CREATE TABLE epcis_subscription (
    id @code PRIMARY KEY,
    query_id @code NOT NULL REFERENCES epcis_query (id),
    owner @code NOT NULL,
    created_at BIGINT NOT NULL,
    dest TEXT NOT NULL,
    token TEXT,
    schedule TEXT,
    report_if_empty BIGINT NOT NULL,
    initial_record_time BIGINT,
    min_record_time BIGINT,
    epc_format @code NOT NULL,
    position BIGINT NOT NULL,
    next_at BIGINT,
    tries BIGINT NOT NULL,
    last_notified_at BIGINT,
    last_error TEXT
);
CREATE INDEX epcis_subscription_query ON epcis_subscription (query_id);
CREATE INDEX epcis_subscription_due ON epcis_subscription (next_at);
