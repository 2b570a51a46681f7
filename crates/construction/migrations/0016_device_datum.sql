-- 坐标系 of devices: what their coordinates were given in (handbook §3.4). Those stored so far were
-- taken for CGCS2000.

ALTER TABLE device ADD COLUMN datum @code;
ALTER TABLE device ADD COLUMN datum_given @code;
UPDATE device SET datum = 'cgcs2000', datum_given = 'cgcs2000' WHERE lon IS NOT NULL;
