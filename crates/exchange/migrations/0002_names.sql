-- Names that a capture which keeps all or nothing will need: from when its document is looked at until
-- it has ended nobody else gives one of them to an event of other content.
CREATE TABLE epcis_reserved (
    event_id @code NOT NULL,
    subject_id @code NOT NULL,
    declared BIGINT NOT NULL,
    capture_id @code NOT NULL,
    sm3 @code NOT NULL,
    PRIMARY KEY (event_id, subject_id, declared, capture_id)
);
CREATE INDEX epcis_reserved_capture ON epcis_reserved (capture_id);

-- Which host a subscription calls: of several for one, one is told at a time.
ALTER TABLE epcis_subscription ADD COLUMN receiver @code;
UPDATE epcis_subscription SET receiver = dest;
