-- 变更权限: how a field of a register may be changed after registration.

CREATE TABLE change_rule (
    entity @code NOT NULL,
    field @code NOT NULL,
    rule @code NOT NULL CHECK (rule IN ('free', 'reviewed', 'never')),
    level BIGINT NOT NULL CHECK (level BETWEEN 0 AND 3),
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (entity, field)
);

-- From which day a change holds, where that is not the day it was written down.

ALTER TABLE change_request ADD COLUMN effective_on @code;

-- 保存的查询: conditions of a list, or of figures, under a name.

CREATE TABLE saved_view (
    id @code PRIMARY KEY,
    owner TEXT NOT NULL,
    shared BIGINT NOT NULL CHECK (shared IN (0, 1)),
    entity @code NOT NULL,
    title TEXT NOT NULL,
    query TEXT NOT NULL,
    figure TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX saved_view_owner ON saved_view (owner, entity, id);
CREATE INDEX saved_view_shared ON saved_view (shared, entity, id);
