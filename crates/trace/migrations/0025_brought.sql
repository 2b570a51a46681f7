-- 来源于平台之外: how much of what an event took came with it from outside the platform. A code of an outside
-- supplier comes as often as goods under it do, and what an event brought goes when it is taken back. Until
-- now only what first named a code could bring anything.
CREATE TABLE trace_brought (
    event_id BIGINT NOT NULL,
    object_id BIGINT NOT NULL REFERENCES trace_object (id),
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    event_time BIGINT NOT NULL,
    PRIMARY KEY (event_id, object_id)
@postgres );
@sqlite ) WITHOUT ROWID;
CREATE INDEX trace_brought_object ON trace_brought (object_id, event_time, event_id);

INSERT INTO trace_brought (event_id, object_id, quantity, event_time)
SELECT l.event_id, l.object_id, CASE WHEN l.quantity < f.brought THEN l.quantity ELSE f.brought END, l.event_time
FROM (
    SELECT o.id, MIN(i.event_id) AS event_id,
        CAST(o.produced - COALESCE((SELECT SUM(m.quantity) FROM trace_link m
            WHERE m.object_id = o.id AND m.role = 1), 0) AS BIGINT) AS brought
    FROM trace_object o JOIN trace_link i ON i.object_id = o.id AND i.role = 0
    GROUP BY o.id, o.produced
) f JOIN trace_link l ON l.event_id = f.event_id AND l.object_id = f.id AND l.role = 0
WHERE f.brought > 0 AND l.quantity > 0;
