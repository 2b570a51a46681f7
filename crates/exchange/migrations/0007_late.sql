-- Events that wait for what they take (ADR 49): whether there are any is asked at every capture.
CREATE INDEX epcis_event_waits ON epcis_event (seq) WHERE trace_uid IS NULL AND reason = 'awaits_origin';
