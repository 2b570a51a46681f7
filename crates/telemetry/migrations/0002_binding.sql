-- 设备绑定: which device watches over which trace unit or journey, and within which limits (handbook
-- §4.3).

CREATE TABLE device_binding (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    device_id @code NOT NULL REFERENCES device (id),
    code @code NOT NULL,
    waybill TEXT,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT CHECK (ends_at > starts_at),
    kind @code NOT NULL,
    low TEXT,
    high TEXT,
    subject_id @code NOT NULL,
    region @code NOT NULL
);
CREATE INDEX device_binding_device ON device_binding (device_id, id);
CREATE INDEX device_binding_code ON device_binding (code, id);
CREATE INDEX device_binding_subject ON device_binding (subject_id, id);
