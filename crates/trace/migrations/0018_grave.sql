-- What the public is warned of is found by its product (G-6.9-3): units under orders, and units that an
-- accepted observation called back or found unqualified. Every such observation is noted with its units;
-- `grave` is the number of the newest. The page of a product reads these and no other units.

CREATE TABLE trace_grave (
    object_id BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    PRIMARY KEY (object_id, event_id)
@postgres );
@sqlite ) WITHOUT ROWID;
ALTER TABLE trace_object ADD COLUMN grave BIGINT;

-- Of what is stored rather too much: how a pack words its verdicts only the pack knows. Whoever reads
-- looks at the event again.
INSERT INTO trace_grave (object_id, event_id, event_time)
    SELECT l.object_id, e.id, e.event_time
    FROM trace_event e CROSS JOIN trace_link l
    WHERE l.event_id = e.id AND l.event_time = e.event_time AND l.role = 2 AND e.state = 'accepted'
        AND (e.kind = 'recall' OR (e.body LIKE '%"verdict":%'
            AND e.body NOT LIKE '%"verdict":"pass"%' AND e.body NOT LIKE '%"verdict":"not_detected"%'
            AND e.body NOT LIKE '%"verdict":"undetermined"%'));
UPDATE trace_object SET grave = (SELECT MAX(g.event_id) FROM trace_grave g WHERE g.object_id = trace_object.id)
    WHERE id IN (SELECT g.object_id FROM trace_grave g);

CREATE INDEX trace_object_grave ON trace_object (product_id, grave) WHERE grave IS NOT NULL;
CREATE INDEX trace_object_warned ON trace_object (product_id, quality, lot) WHERE quality IS NOT NULL;

-- The units of a product's lot, and those of them that somebody holds: a lot number alone is that of many
-- products, and nobody asks for it alone.
DROP INDEX trace_object_product;
CREATE INDEX trace_object_product ON trace_object (product_id, lot, id);
DROP INDEX trace_object_lot;
CREATE INDEX trace_object_holder ON trace_object (subject_id, product_id, lot, id);
