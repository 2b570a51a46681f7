-- Events that were kept and could not be told (ADR 49): whether there are any is asked at every capture.
CREATE INDEX epcis_event_untold ON epcis_event (seq) WHERE trace_uid IS NULL AND reason = 'refused';
