-- 密钥 (GM/T 0054, GB/T 39786 8.4 e): protected by the root key, which is never in the database.

CREATE TABLE protection_key (
    id @code PRIMARY KEY,
    purpose @code NOT NULL,
    wrapped @blob NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'retired')),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX protection_key_active ON protection_key (purpose) WHERE state = 'active';

-- One key for every person or record with personal data. Destroyed: wrapped is empty for ever.
CREATE TABLE data_key (
    owner @code PRIMARY KEY,
    protection_key @code NOT NULL REFERENCES protection_key (id),
    wrapped @blob,
    created_at BIGINT NOT NULL,
    destroyed_at BIGINT,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE INDEX data_key_protection ON data_key (protection_key);
