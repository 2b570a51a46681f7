-- Who may see only a part of the register reads these indexes alone, and not a record for each entry that
-- they pass over.

DROP INDEX trace_subject_filed;
CREATE INDEX trace_subject_filed ON trace_subject (filed_on, id, region, label);
DROP INDEX trace_subject_kind;
CREATE INDEX trace_subject_kind ON trace_subject (kind, id, region, label);
