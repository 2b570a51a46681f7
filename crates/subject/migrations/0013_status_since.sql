-- Since when a subject has been in its state. Of those whose state changed before this was kept, the
-- last change of the record is the latest it can have been.

ALTER TABLE trace_subject ADD COLUMN status_since BIGINT;
UPDATE trace_subject SET status_since = updated_at WHERE status <> '40';
