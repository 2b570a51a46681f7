-- The events of a lot in the order of time (G-6.2.3): a lot number may be that of many lots, and a page
-- wants the newest. Most events of units name none.
DROP INDEX trace_event_lot;
CREATE INDEX trace_event_lot ON trace_event (lot, event_time, id) WHERE lot IS NOT NULL;
