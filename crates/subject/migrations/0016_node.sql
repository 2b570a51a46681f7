-- 坐标系 of nodes: what their coordinates were given in (handbook §3.4), those stored so far having
-- been taken for CGCS2000; and 追溯环节 of nodes and of who trades there, which follows from the
-- node's kind (G-6.2.4).

ALTER TABLE node ADD COLUMN datum @code;
ALTER TABLE node ADD COLUMN datum_given @code;
UPDATE node SET datum = 'cgcs2000', datum_given = 'cgcs2000' WHERE lon IS NOT NULL;

ALTER TABLE node ADD COLUMN stage @code;
ALTER TABLE merchant ADD COLUMN stage @code;
UPDATE node SET stage = CASE kind
    WHEN 'slaughter' THEN 'processing' WHEN 'logistics' THEN 'transport'
    WHEN 'group' THEN 'consumption' ELSE 'distribution' END
    WHERE kind <> 'other';
UPDATE merchant SET stage = (SELECT n.stage FROM node n WHERE n.id = merchant.node_id);
