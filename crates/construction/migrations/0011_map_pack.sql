-- 地图底图: official outlines with their 审图号, who brought them and who put them on the maps. The
-- content never changes.

CREATE TABLE map_pack (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    approval_number TEXT NOT NULL,
    -- First day on which the 审图号 holds no more.
    ends_on @code,
    -- What it is and counts of what it holds, for lists.
    summary TEXT NOT NULL,
    content TEXT NOT NULL,
    digest @code NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'active', 'withdrawn', 'discarded')),
    uploaded_by TEXT NOT NULL,
    uploaded_at BIGINT NOT NULL,
    activated_by TEXT,
    activated_at BIGINT,
    closed_by TEXT,
    closed_at BIGINT,
    reason TEXT,
    -- Two people put a pack on the maps.
    CHECK (activated_by IS NULL OR activated_by <> uploaded_by),
    CHECK ((state IN ('active', 'withdrawn')) = (activated_at IS NOT NULL))
);
-- One at a time.
CREATE UNIQUE INDEX map_pack_active ON map_pack (state) WHERE state = 'active';

-- The version given last; locked by whoever changes a pack.
CREATE TABLE map_pack_version (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO map_pack_version (id, last) VALUES (1, 0);
