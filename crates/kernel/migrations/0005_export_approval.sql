-- A large export waits for somebody else's word (S-13, S-33); its file does not stay for ever.

ALTER TABLE job ADD COLUMN rows_asked BIGINT;
ALTER TABLE job ADD COLUMN approval TEXT CHECK (approval IN ('needed', 'given', 'refused'));
ALTER TABLE job ADD COLUMN decided_by TEXT CHECK (decided_by <> created_by);
ALTER TABLE job ADD COLUMN decided_at BIGINT;
ALTER TABLE job ADD COLUMN decision TEXT;
CREATE INDEX job_approval ON job (approval, id);

ALTER TABLE attachment ADD COLUMN expires_at BIGINT;
ALTER TABLE attachment ADD COLUMN removed_at BIGINT;
CREATE INDEX attachment_expiry ON attachment (expires_at);
