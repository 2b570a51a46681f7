-- 行业报文: which event a record of another system became, under the number that system gave it. A number
-- is one enterprise's; the same number again is the same record, or a later state of it.

CREATE TABLE trace_message (
    door @code NOT NULL,
    party_id @code NOT NULL,
    number @code NOT NULL,
    digest @code NOT NULL,
    event_uid @code NOT NULL,
    before_uid @code,
    state @code,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (door, party_id, number)
);
