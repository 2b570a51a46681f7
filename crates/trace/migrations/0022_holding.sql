-- 分持 (ADR 50): a lot handed over in part under its own code is held by several. The unit says who put it
-- out last and how much of its balance is with others (`apart`, 0 for nearly all); each of those has a row.
-- What an event took from another's hands into its subject's is written down, so that it can be taken back
-- with the event and a word given is used up once.

ALTER TABLE trace_object ADD COLUMN apart BIGINT NOT NULL DEFAULT 0;

CREATE TABLE trace_holding (
    object_id BIGINT NOT NULL REFERENCES trace_object (id),
    subject_id TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (object_id, subject_id)
@postgres );
@sqlite ) WITHOUT ROWID;
CREATE INDEX trace_holding_subject ON trace_holding (subject_id, object_id);

CREATE TABLE trace_handover (
    event_id BIGINT NOT NULL,
    object_id BIGINT NOT NULL REFERENCES trace_object (id),
    giver_id TEXT NOT NULL,
    receiver_id TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    event_time BIGINT NOT NULL,
    PRIMARY KEY (event_id, object_id, giver_id, receiver_id)
@postgres );
@sqlite ) WITHOUT ROWID;
CREATE INDEX trace_handover_object ON trace_handover (object_id, event_time, event_id);
CREATE INDEX trace_handover_giver ON trace_handover (giver_id, event_time);
CREATE INDEX trace_handover_receiver ON trace_handover (receiver_id, event_time);
