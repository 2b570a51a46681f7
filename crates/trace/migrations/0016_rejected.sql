-- Rejected events are few; without an index of their own, who asks for them reads all events.
CREATE INDEX trace_event_rejected ON trace_event (event_time, id) WHERE state = 'rejected';
