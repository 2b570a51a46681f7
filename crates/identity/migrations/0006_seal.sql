-- 权限完整性 (S-16): which seal of its subject this is, counted from one.

ALTER TABLE access_seal ADD COLUMN number BIGINT NOT NULL DEFAULT 1;
