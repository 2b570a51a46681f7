-- 上传的领域包: what was uploaded, by whom, and who put it into use. The content never changes.

CREATE TABLE domain_pack (
    id @code PRIMARY KEY,
    code @code NOT NULL,
    version @code NOT NULL,
    name TEXT NOT NULL,
    effective_on @code NOT NULL,
    content TEXT NOT NULL,
    digest @code NOT NULL,
    -- Counts of what it holds, for lists.
    summary TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'active', 'retired', 'discarded')),
    uploaded_by TEXT NOT NULL,
    uploaded_at BIGINT NOT NULL,
    activated_by TEXT,
    activated_at BIGINT,
    closed_by TEXT,
    closed_at BIGINT,
    reason TEXT,
    -- Two people put a pack into use.
    CHECK (activated_by IS NULL OR activated_by <> uploaded_by),
    CHECK ((state IN ('active', 'retired')) = (activated_at IS NOT NULL))
);
CREATE UNIQUE INDEX domain_pack_version ON domain_pack (code, version) WHERE state <> 'discarded';

-- What the nodes compare with what they keep in memory.
CREATE TABLE domain_epoch (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    value @code NOT NULL
);
INSERT INTO domain_epoch (id, value) VALUES (1, '');
