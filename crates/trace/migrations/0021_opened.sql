-- 拆包装 (ADR 47): the link of a package to an event that takes things out of it is of a role of its own
-- (3), so that whatever follows inputs to what was made of them does not take what was merely beside
-- something for made of it. An index of those links alone says whether there are any.

@postgres ALTER TABLE trace_link DROP CONSTRAINT trace_link_role_check;
@postgres ALTER TABLE trace_link ADD CONSTRAINT trace_link_role_check CHECK (role IN (0, 1, 2, 3));

@sqlite CREATE TABLE trace_link_new (
@sqlite     event_id INTEGER NOT NULL REFERENCES trace_event (id),
@sqlite     object_id INTEGER NOT NULL REFERENCES trace_object (id),
@sqlite     role BIGINT NOT NULL CHECK (role IN (0, 1, 2, 3)),
@sqlite     quantity BIGINT,
@sqlite     event_time BIGINT NOT NULL,
@sqlite     PRIMARY KEY (event_id, role, object_id)
@sqlite ) WITHOUT ROWID;
@sqlite INSERT INTO trace_link_new SELECT event_id, object_id, role, quantity, event_time FROM trace_link
@sqlite     ORDER BY event_id, role, object_id;
@sqlite DROP TABLE trace_link;
@sqlite ALTER TABLE trace_link_new RENAME TO trace_link;
@sqlite CREATE INDEX trace_link_object ON trace_link (object_id, role, event_time, event_id);
@sqlite CREATE INDEX trace_link_looked ON trace_link (object_id, event_id) WHERE role = 2;

CREATE INDEX trace_link_opened ON trace_link (object_id, event_id) WHERE role = 3;
