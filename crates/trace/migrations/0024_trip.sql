-- 一车一趟一单: when vehicles set out, by what their bills say; what became of a bill its event says.
CREATE TABLE trace_trip (
    vehicle @code NOT NULL,
    departs BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    PRIMARY KEY (vehicle, departs, event_id)
@postgres );
@sqlite ) WITHOUT ROWID;
DELETE FROM trace_message WHERE door = 'waybill-trip';
