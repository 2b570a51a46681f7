-- Who looked at a unit (G-6.5.4): a chain asks it of every unit, and most were never looked at. An index
-- of those alone answers at half the price of one that holds every link.
CREATE INDEX trace_link_looked ON trace_link (object_id, event_id) WHERE role = 2;
