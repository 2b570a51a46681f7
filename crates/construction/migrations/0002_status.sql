-- 设备的其他标识与在线状态、心跳、证书 (G-6.7.5, G-4c).

ALTER TABLE device ADD COLUMN imei @code;
ALTER TABLE device ADD COLUMN iccid @code;
ALTER TABLE device ADD COLUMN firmware TEXT;
ALTER TABLE device ADD COLUMN installed_on @code;
ALTER TABLE device ADD COLUMN lon TEXT;
ALTER TABLE device ADD COLUMN lat TEXT;
ALTER TABLE device ADD COLUMN interval_minutes BIGINT NOT NULL DEFAULT 10
    CHECK (interval_minutes BETWEEN 1 AND 1440);
ALTER TABLE device ADD COLUMN locally_administered BIGINT NOT NULL DEFAULT 0
    CHECK (locally_administered IN (0, 1));
ALTER TABLE device ADD COLUMN state @code NOT NULL DEFAULT 'never'
    CHECK (state IN ('online', 'offline', 'never'));
-- The second digit of such an address is 2, 6, A or E.
UPDATE device SET locally_administered = 1 WHERE substr(mac, 2, 1) IN ('2', '6', 'A', 'E');
CREATE INDEX device_state ON device (state, id);

-- What each device last said of itself, one row for ever, written over by every heartbeat.
-- due: when it counts as offline unless it is heard again; NULL once it does.
CREATE TABLE device_status (
    device_id @code PRIMARY KEY REFERENCES device (id),
    sequence BIGINT NOT NULL,
    reported_at BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    due BIGINT,
    battery BIGINT CHECK (battery BETWEEN 0 AND 100),
    firmware TEXT
);
CREATE INDEX device_status_due ON device_status (due);

CREATE TABLE device_certificate (
    id @code PRIMARY KEY,
    device_id @code NOT NULL REFERENCES device (id),
    fingerprint @code NOT NULL UNIQUE,
    serial @code NOT NULL,
    issuer TEXT NOT NULL,
    name TEXT NOT NULL,
    public_key @code NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    bound_at BIGINT NOT NULL,
    bound_by TEXT NOT NULL,
    revoked_at BIGINT,
    revoked_by TEXT,
    reason TEXT
);
CREATE INDEX device_certificate_device ON device_certificate (device_id, id);
-- One at a time.
CREATE UNIQUE INDEX device_certificate_valid ON device_certificate (device_id)
    WHERE revoked_at IS NULL;
