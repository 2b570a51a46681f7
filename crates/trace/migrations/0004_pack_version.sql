-- Under which version of its domain's pack an event was recorded. Until now there was one of each.

ALTER TABLE trace_event ADD COLUMN pack_version @code NOT NULL DEFAULT '1.0.0';
