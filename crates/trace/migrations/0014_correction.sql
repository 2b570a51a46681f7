-- What corrects an event, or was meant to: erasing one reaches all of them (ADR 41).
CREATE INDEX trace_event_correction ON trace_event (correction_of) WHERE correction_of IS NOT NULL;
