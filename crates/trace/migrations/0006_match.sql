-- 双方登记的核对: what one party says it gave and the other that it got, by parties, voucher and batch;
-- where there is no voucher, the day stands in for it. Days are counted from 1970-01-01 in Beijing.

CREATE TABLE trace_match (
    id @code PRIMARY KEY,
    opened_at BIGINT NOT NULL,
    domain @code NOT NULL,
    giver_id @code NOT NULL,
    giver_region @code NOT NULL,
    receiver_id @code NOT NULL,
    receiver_region @code NOT NULL,
    voucher @code,
    batch @code NOT NULL,
    unit @code NOT NULL,
    units BIGINT NOT NULL DEFAULT 0,
    given BIGINT NOT NULL DEFAULT 0,
    received BIGINT NOT NULL DEFAULT 0,
    given_day BIGINT,
    received_day BIGINT,
    state TEXT NOT NULL DEFAULT 'void'
        CHECK (state IN ('void', 'given', 'received', 'matched', 'quantity', 'day'))
);
CREATE INDEX trace_match_state ON trace_match (state, opened_at, id);
CREATE INDEX trace_match_giver ON trace_match (giver_id, opened_at, id);
CREATE INDEX trace_match_receiver ON trace_match (receiver_id, opened_at, id);
CREATE INDEX trace_match_batch ON trace_match (batch);

-- side: 0 given, 1 received. Lines of events that were corrected since do not count.
CREATE TABLE trace_match_line (
    match_id @code NOT NULL REFERENCES trace_match (id),
    event_id BIGINT NOT NULL REFERENCES trace_event (id),
    side BIGINT NOT NULL CHECK (side IN (0, 1)),
    quantity BIGINT NOT NULL,
    unit @code NOT NULL,
    day BIGINT NOT NULL,
    PRIMARY KEY (match_id, event_id, unit)
);
CREATE INDEX trace_match_line_event ON trace_match_line (event_id);
