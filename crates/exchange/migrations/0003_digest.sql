-- EPCIS events are found by their hash: sixteen digits of it, which is where the other digits are
-- compared.

CREATE INDEX epcis_event_hash ON epcis_event (substr(hash, 15, 16));
CREATE INDEX epcis_event_sm3 ON epcis_event (substr(sm3, 16, 16));
