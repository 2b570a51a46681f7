-- 密级标记; 联系电话 is sealed and found by its blind index.

ALTER TABLE trace_subject ADD COLUMN label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4);
ALTER TABLE trace_subject ADD COLUMN contact_phone_blind @code;
CREATE INDEX trace_subject_phone ON trace_subject (contact_phone_blind);
