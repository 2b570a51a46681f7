-- 商业秘密 (G-10.4): what goods cost, by the accepted events that say so; per unit of reference, in
-- millionths of a yuan. `median` and `compared` stand where the price was far from what the same goods cost
-- around its time. `goods` is a class of the catalogue, or a product without one.
CREATE TABLE trace_price (
    event_id BIGINT PRIMARY KEY,
    event_time BIGINT NOT NULL,
    goods @code NOT NULL,
    unit @code NOT NULL,
    province @code NOT NULL,
    product_id @code NOT NULL,
    price BIGINT NOT NULL CHECK (price > 0),
    median BIGINT,
    compared BIGINT,
    CHECK ((median IS NULL) = (compared IS NULL))
);
CREATE INDEX trace_price_goods ON trace_price (goods, unit, province, event_time);
CREATE INDEX trace_price_unusual ON trace_price (event_time, event_id) WHERE median IS NOT NULL;

-- 按月报送 (§5.4), where a domain lays down until when a month is to be reported: events by when they came.
CREATE TABLE trace_report (
    month @code NOT NULL,
    domain @code NOT NULL,
    subject_id @code NOT NULL,
    region @code NOT NULL,
    due @code NOT NULL,
    events BIGINT NOT NULL,
    last_hour BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (month, domain, subject_id)
@postgres );
@sqlite ) WITHOUT ROWID;

-- 停报与停业: who says nothing any more, as it was found last. `record` is the subject that has fallen silent,
-- or the merchant that is idle; `seen_by` is the subject whose people may see it.
CREATE TABLE trace_reporter (
    state @code NOT NULL CHECK (state IN ('silent', 'idle')),
    record @code NOT NULL,
    subject_id @code NOT NULL,
    region @code NOT NULL,
    seen_by @code NOT NULL,
    label BIGINT NOT NULL,
    last_event BIGINT,
    found_at BIGINT NOT NULL,
    PRIMARY KEY (state, record)
@postgres );
@sqlite ) WITHOUT ROWID;
