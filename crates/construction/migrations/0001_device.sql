-- 设备 (G-6.7.5).

CREATE TABLE device (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    mac @code NOT NULL UNIQUE,
    kind @code NOT NULL,
    model TEXT NOT NULL,
    maker TEXT,
    serial_no @code,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    region @code NOT NULL,
    place TEXT,
    verified_until @code,
    in_use BIGINT NOT NULL CHECK (in_use IN (0, 1))
);
CREATE INDEX device_subject ON device (subject_id, id);
CREATE INDEX device_region ON device (region, id);
CREATE INDEX device_kind ON device (kind, id);
