-- 导入: where people find a row in the file they sent.

ALTER TABLE job_row ADD COLUMN place TEXT;
