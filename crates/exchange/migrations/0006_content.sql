-- One name, one content: what the event hash leaves out counts too. An event can be declared wrong more than
-- once, in other words: each declaration has a name of its own beside the event's.

ALTER TABLE epcis_event ADD COLUMN content @code;
ALTER TABLE epcis_event ADD COLUMN declaration @code NOT NULL DEFAULT '';
UPDATE epcis_event SET declaration = 'first' WHERE declared = 1;
DROP INDEX epcis_event_name;
CREATE UNIQUE INDEX epcis_event_name ON epcis_event (event_id, subject_id, declaration);
