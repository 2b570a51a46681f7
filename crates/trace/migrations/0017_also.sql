-- Products and lots of an event beyond the first, which its own row names: a search by either finds the
-- event (G-6.2.3).
CREATE TABLE trace_event_also (
    facet @code NOT NULL CHECK (facet IN ('product', 'lot')),
    value @code NOT NULL,
    event_time BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    PRIMARY KEY (facet, value, event_time, event_id)
@postgres );
@sqlite ) WITHOUT ROWID;
INSERT INTO trace_event_also (facet, value, event_time, event_id)
    SELECT DISTINCT 'product', o.product_id, e.event_time, e.id
    FROM trace_link l JOIN trace_object o ON o.id = l.object_id JOIN trace_event e
        ON e.id = l.event_id AND e.event_time = l.event_time
    WHERE o.product_id IS NOT NULL AND (e.product_id IS NULL OR o.product_id <> e.product_id);
INSERT INTO trace_event_also (facet, value, event_time, event_id)
    SELECT DISTINCT 'lot', o.lot, e.event_time, e.id
    FROM trace_link l JOIN trace_object o ON o.id = l.object_id JOIN trace_event e
        ON e.id = l.event_id AND e.event_time = l.event_time
    WHERE o.lot IS NOT NULL AND (e.lot IS NULL OR o.lot <> e.lot);
