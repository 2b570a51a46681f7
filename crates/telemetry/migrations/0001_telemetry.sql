-- 设备数据 (D-6.3-2): signed messages as they came, the readings in them, and what is missing. Rows
-- are only ever added; what follows from the order of the readings is the same whatever the order in
-- which they arrived.

-- id: device, boot epoch and number, so that the order of the bytes is the order of a device's words.
CREATE TABLE device_message (
    id @code PRIMARY KEY,
    device_id @code NOT NULL REFERENCES device (id),
    subject_id @code NOT NULL,
    region @code NOT NULL,
    epoch BIGINT NOT NULL CHECK (epoch >= 0),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    -- SM3 of the canonical message without its signature.
    digest @code NOT NULL,
    -- The canonical message with its signature.
    content TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- The anchored batch it is proved by, and its place there.
    batch_id @code,
    place BIGINT
);
CREATE INDEX device_message_waiting ON device_message (device_id, id) WHERE batch_id IS NULL;
CREATE INDEX device_message_batch ON device_message (batch_id, place) WHERE batch_id IS NOT NULL;

-- The last number of each boot epoch, and the numbers before it that have not come.
CREATE TABLE device_epoch (
    device_id @code NOT NULL REFERENCES device (id),
    epoch BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (device_id, epoch)
);
CREATE TABLE device_gap (
    device_id @code NOT NULL REFERENCES device (id),
    epoch BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL CHECK (last >= first),
    PRIMARY KEY (device_id, epoch, first)
);

-- One quantity on one channel of one device while it belongs to one subject. The columns from time on
-- are those of its latest reading.
CREATE TABLE device_series (
    id BIGINT PRIMARY KEY,
    device_id @code NOT NULL REFERENCES device (id),
    subject_id @code NOT NULL,
    region @code NOT NULL,
    kind @code NOT NULL,
    channel BIGINT NOT NULL CHECK (channel BETWEEN 0 AND 255),
    time BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    item BIGINT NOT NULL,
    value BIGINT NOT NULL,
    marks BIGINT NOT NULL,
    same_since BIGINT NOT NULL,
    same_count BIGINT NOT NULL
);
@postgres CREATE SEQUENCE device_series_seq;
CREATE UNIQUE INDEX device_series_of ON device_series (device_id, subject_id, kind, channel);
CREATE INDEX device_series_subject ON device_series (subject_id, id);

-- value: millionths of the unit of its kind. marks: 1 interval exceeded, 2 frozen, 4 late,
-- 8 implausible. same_since, same_count: the run of equal values it belongs to.
CREATE TABLE device_reading (
    series_id BIGINT NOT NULL REFERENCES device_series (id),
    time BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    item BIGINT NOT NULL,
    value BIGINT NOT NULL,
    code @code,
    marks BIGINT NOT NULL,
    same_since BIGINT NOT NULL,
    same_count BIGINT NOT NULL,
    PRIMARY KEY (series_id, time, epoch, seq, item)
);
CREATE INDEX device_reading_code ON device_reading (code, time) WHERE code IS NOT NULL;
CREATE INDEX device_reading_marked ON device_reading (series_id, time) WHERE marks > 0;

-- 设备与追溯事件的关联 (G-6.7.5).
CREATE TABLE device_event (
    event @code PRIMARY KEY,
    message_id @code NOT NULL REFERENCES device_message (id),
    device_id @code NOT NULL,
    subject_id @code NOT NULL,
    region @code NOT NULL
);
CREATE INDEX device_event_device ON device_event (device_id, event);

-- Batches of messages under one root on the ledger, so that each can be proved.
CREATE TABLE device_batch (
    id @code PRIMARY KEY,
    device_id @code NOT NULL REFERENCES device (id),
    at BIGINT NOT NULL,
    count BIGINT NOT NULL,
    root @code NOT NULL
);
CREATE INDEX device_batch_device ON device_batch (device_id, id);
