-- In whose name a record was anchored: a subject's, or the audit trail's.

DROP VIEW anchor_state;
CREATE VIEW anchor_state AS SELECT record, org, state, height FROM anchor_entry;
