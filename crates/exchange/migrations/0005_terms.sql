-- Questions that do not grow with what is kept (ADR 46). What an event mentions lies together, and is
-- found in the order of recording and in the order of time. What there is to ask for at all is kept once
-- for each place that may see it. SQLite finds an event by its rowid, as in trace/0015.

-- Numbers and times of recording go the same way.
ALTER TABLE epcis_sequence ADD COLUMN recorded BIGINT NOT NULL DEFAULT 0;
UPDATE epcis_event SET record_time = r.latest FROM (
    SELECT seq AS number, MAX(record_time) OVER (ORDER BY seq) AS latest FROM epcis_event
) AS r WHERE epcis_event.seq = r.number AND epcis_event.record_time < r.latest;
UPDATE epcis_sequence SET recorded = COALESCE((SELECT MAX(record_time) FROM epcis_event), 0);

-- A name is found by itself and is one for each subject: one index serves both.
@sqlite CREATE TABLE epcis_event_by_seq (
@sqlite     seq INTEGER PRIMARY KEY,
@sqlite     uid @code NOT NULL UNIQUE,
@sqlite     event_id @code NOT NULL,
@sqlite     declared BIGINT NOT NULL,
@sqlite     declared_at BIGINT,
@sqlite     hash @code NOT NULL,
@sqlite     sm3 @code NOT NULL,
@sqlite     subject_id @code NOT NULL,
@sqlite     region @code NOT NULL,
@sqlite     domain @code,
@sqlite     stage @code,
@sqlite     capture_id @code NOT NULL,
@sqlite     action @code,
@sqlite     event_time BIGINT NOT NULL,
@sqlite     record_time BIGINT NOT NULL,
@sqlite     sensors BIGINT NOT NULL,
@sqlite     own_id BIGINT NOT NULL,
@sqlite     body TEXT NOT NULL,
@sqlite     trace_uid @code,
@sqlite     reason @code,
@sqlite     detail TEXT,
@sqlite     erased @code
@sqlite );
@sqlite INSERT INTO epcis_event_by_seq SELECT seq, uid, event_id, declared, declared_at, hash, sm3, subject_id,
@sqlite     region, domain, stage, capture_id, action, event_time, record_time, sensors, own_id, body,
@sqlite     trace_uid, reason, detail, erased FROM epcis_event ORDER BY seq;
@sqlite DROP TABLE epcis_event;
@sqlite ALTER TABLE epcis_event_by_seq RENAME TO epcis_event;
@sqlite CREATE INDEX epcis_event_time ON epcis_event (event_time, seq);
@sqlite CREATE INDEX epcis_event_record ON epcis_event (record_time, seq);
@sqlite CREATE INDEX epcis_event_capture ON epcis_event (capture_id, seq);
@sqlite CREATE INDEX epcis_event_trace ON epcis_event (trace_uid) WHERE trace_uid IS NOT NULL;
@sqlite CREATE INDEX epcis_event_hash ON epcis_event (substr(hash, 15, 16));
@sqlite CREATE INDEX epcis_event_sm3 ON epcis_event (substr(sm3, 16, 16));
@sqlite CREATE INDEX epcis_event_erased ON epcis_event (erased) WHERE erased IS NOT NULL;
@postgres ALTER TABLE epcis_event DROP CONSTRAINT epcis_event_subject_id_event_id_declared_key;
@postgres DROP INDEX epcis_event_id;
@postgres DROP INDEX epcis_event_subject;
CREATE UNIQUE INDEX epcis_event_name ON epcis_event (event_id, subject_id, declared);

-- `role` says where in the event, `term` is the one spelling that is searched for, `raw` what was sent.
-- Beside what was sent stand whose event it is, what it does, and that it measures or declares an error.
CREATE TABLE epcis_term_whole AS
    SELECT t.seq, t.role, t.term, t.raw, e.event_time FROM epcis_term t JOIN epcis_event e ON e.seq = t.seq
    UNION ALL SELECT seq, 'owner', subject_id, subject_id, event_time FROM epcis_event WHERE erased IS NULL
    UNION ALL SELECT seq, 'action', action, action, event_time FROM epcis_event WHERE action IS NOT NULL
    UNION ALL SELECT seq, 'flag', 'sensors', 'sensors', event_time FROM epcis_event WHERE sensors = 1
    UNION ALL SELECT seq, 'flag', 'declared', 'declared', event_time FROM epcis_event
        WHERE declared = 1 AND erased IS NULL;
DROP TABLE epcis_term;
CREATE TABLE epcis_term (
@sqlite     seq INTEGER NOT NULL,
@postgres     seq BIGINT NOT NULL,
    role @code NOT NULL,
    term @code NOT NULL,
    raw @code NOT NULL,
    event_time BIGINT NOT NULL,
    PRIMARY KEY (seq, role, term)
@sqlite ) WITHOUT ROWID;
@postgres );
INSERT INTO epcis_term (seq, role, term, raw, event_time)
    SELECT seq, role, term, raw, event_time FROM epcis_term_whole ORDER BY seq, role, term;
CREATE INDEX epcis_term_recorded ON epcis_term (role, term, seq);
CREATE INDEX epcis_term_happened ON epcis_term (role, term, event_time, seq);
DROP TABLE epcis_term_whole;

-- What there is to ask for under the top-level resources, as it was sent, and who may see it: domain and
-- stage are empty where an event told no 追溯事件.
CREATE TABLE epcis_seen (
    role @code NOT NULL,
    raw @code NOT NULL,
    subject_id @code NOT NULL,
    region @code NOT NULL,
    domain @code NOT NULL,
    stage @code NOT NULL,
    term @code NOT NULL,
    PRIMARY KEY (role, raw, subject_id, region, domain, stage)
@sqlite ) WITHOUT ROWID;
@postgres );
INSERT INTO epcis_seen (role, raw, subject_id, region, domain, stage, term)
    SELECT DISTINCT t.role, t.raw, e.subject_id, e.region, COALESCE(e.domain, ''), COALESCE(e.stage, ''), t.term
    FROM epcis_term t JOIN epcis_event e ON e.seq = t.seq
    WHERE t.role IN ('step', 'disp', 'read', 'loc', 'epc', 'parent', 'in', 'out')
        OR (t.role = 'type' AND t.term = 'extended');
CREATE INDEX epcis_seen_term ON epcis_seen (role, term);
CREATE INDEX epcis_seen_subject ON epcis_seen (subject_id, role, raw);
