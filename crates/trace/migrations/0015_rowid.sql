-- SQLite finds a row by its rowid. A key that is declared BIGINT is a second tree beside the rows, which
-- every capture fills and every look-up passes through. Declared INTEGER it is the rowid itself, and a
-- link is its own key. PostgreSQL has one heap and one tree either way.

@sqlite DROP VIEW trace_event_key;
@sqlite CREATE TABLE trace_link_whole AS SELECT * FROM trace_link;
@sqlite CREATE TABLE trace_match_line_whole AS SELECT * FROM trace_match_line;
@sqlite DROP TABLE trace_link;
@sqlite DROP TABLE trace_match_line;

@sqlite CREATE TABLE trace_event_by_id (
@sqlite     id INTEGER PRIMARY KEY,
@sqlite     uid @code NOT NULL UNIQUE,
@sqlite     digest @code NOT NULL UNIQUE,
@sqlite     domain @code NOT NULL,
@sqlite     kind @code NOT NULL,
@sqlite     stage @code NOT NULL,
@sqlite     subject_id @code NOT NULL,
@sqlite     subject_code @code NOT NULL,
@sqlite     product_id @code,
@sqlite     lot TEXT,
@sqlite     region @code NOT NULL,
@sqlite     event_time BIGINT NOT NULL,
@sqlite     event_offset BIGINT NOT NULL,
@sqlite     recorded_at BIGINT NOT NULL,
@sqlite     recorded_by TEXT NOT NULL,
@sqlite     source @code NOT NULL,
@sqlite     state TEXT NOT NULL CHECK (state IN ('held', 'rejected', 'accepted', 'superseded')),
@sqlite     held_reason TEXT,
@sqlite     body TEXT NOT NULL,
@sqlite     correction_of @code,
@sqlite     superseded_by @code,
@sqlite     decided_by TEXT,
@sqlite     decided_at BIGINT,
@sqlite     decision_comment TEXT,
@sqlite     label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
@sqlite     pack_version @code NOT NULL DEFAULT '1.0.0',
@sqlite     counterparty_id @code
@sqlite );
@sqlite INSERT INTO trace_event_by_id SELECT id, uid, digest, domain, kind, stage, subject_id, subject_code,
@sqlite     product_id, lot, region, event_time, event_offset, recorded_at, recorded_by, source, state,
@sqlite     held_reason, body, correction_of, superseded_by, decided_by, decided_at, decision_comment, label,
@sqlite     pack_version, counterparty_id FROM trace_event ORDER BY id;
@sqlite DROP TABLE trace_event;
@sqlite ALTER TABLE trace_event_by_id RENAME TO trace_event;
@sqlite CREATE INDEX trace_event_time ON trace_event (event_time, id);
@sqlite CREATE INDEX trace_event_stage ON trace_event (stage, event_time, id);
@sqlite CREATE INDEX trace_event_subject ON trace_event (subject_id, event_time, id);
@sqlite CREATE INDEX trace_event_product ON trace_event (product_id, event_time, id);
@sqlite CREATE INDEX trace_event_region ON trace_event (region, event_time, id);
@sqlite CREATE INDEX trace_event_lot ON trace_event (lot);
@sqlite CREATE INDEX trace_event_held ON trace_event (event_time, id) WHERE state = 'held';
@sqlite CREATE INDEX trace_event_correction ON trace_event (correction_of) WHERE correction_of IS NOT NULL;
@sqlite CREATE VIEW trace_event_key AS SELECT id, uid, digest, event_time FROM trace_event;

@sqlite CREATE TABLE trace_object_by_id (
@sqlite     id INTEGER PRIMARY KEY,
@sqlite     code @code NOT NULL UNIQUE,
@sqlite     product_id @code,
@sqlite     lot TEXT,
@sqlite     unit @code NOT NULL,
@sqlite     subject_id @code NOT NULL,
@sqlite     stage @code NOT NULL,
@sqlite     produced BIGINT NOT NULL,
@sqlite     balance BIGINT NOT NULL CHECK (balance >= 0),
@sqlite     state TEXT NOT NULL CHECK (state IN ('held', 'sold', 'used', 'external')),
@sqlite     scans BIGINT NOT NULL DEFAULT 0,
@sqlite     first_scanned_at BIGINT,
@sqlite     quality @code CHECK (quality BETWEEN '02' AND '06')
@sqlite );
@sqlite INSERT INTO trace_object_by_id SELECT id, code, product_id, lot, unit, subject_id, stage, produced,
@sqlite     balance, state, scans, first_scanned_at, quality FROM trace_object ORDER BY id;
@sqlite DROP TABLE trace_object;
@sqlite ALTER TABLE trace_object_by_id RENAME TO trace_object;
@sqlite CREATE INDEX trace_object_lot ON trace_object (lot);
@sqlite CREATE INDEX trace_object_product ON trace_object (product_id, id);
@sqlite CREATE INDEX trace_object_stopped ON trace_object (subject_id, id) WHERE quality IS NOT NULL;

@sqlite CREATE TABLE trace_link (
@sqlite     event_id INTEGER NOT NULL REFERENCES trace_event (id),
@sqlite     object_id INTEGER NOT NULL REFERENCES trace_object (id),
@sqlite     role BIGINT NOT NULL CHECK (role IN (0, 1, 2)),
@sqlite     quantity BIGINT,
@sqlite     event_time BIGINT NOT NULL,
@sqlite     PRIMARY KEY (event_id, role, object_id)
@sqlite ) WITHOUT ROWID;
@sqlite INSERT INTO trace_link SELECT event_id, object_id, role, quantity, event_time FROM trace_link_whole
@sqlite     ORDER BY event_id, role, object_id;
@sqlite CREATE INDEX trace_link_object ON trace_link (object_id, role, event_time, event_id);
@sqlite DROP TABLE trace_link_whole;

@sqlite CREATE TABLE trace_match_line (
@sqlite     match_id @code NOT NULL REFERENCES trace_match (id),
@sqlite     event_id INTEGER NOT NULL REFERENCES trace_event (id),
@sqlite     side BIGINT NOT NULL CHECK (side IN (0, 1)),
@sqlite     quantity BIGINT NOT NULL,
@sqlite     unit @code NOT NULL,
@sqlite     day BIGINT NOT NULL,
@sqlite     PRIMARY KEY (match_id, event_id, unit)
@sqlite ) WITHOUT ROWID;
@sqlite INSERT INTO trace_match_line SELECT match_id, event_id, side, quantity, unit, day
@sqlite     FROM trace_match_line_whole ORDER BY match_id, event_id, unit;
@sqlite CREATE INDEX trace_match_line_event ON trace_match_line (event_id);
@sqlite DROP TABLE trace_match_line_whole;
