-- An event that was erased: the keyed digest of its name, so that it is not taken in again (ADR 41). Its
-- row stays, for numbers have no holes; hash and sm3 are keyed digests from then on.
ALTER TABLE epcis_event ADD COLUMN erased @code;
CREATE INDEX epcis_event_erased ON epcis_event (erased) WHERE erased IS NOT NULL;
