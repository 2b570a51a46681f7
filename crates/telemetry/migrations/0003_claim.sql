-- Of a run of equal values only its last three hours decide anything: a late reading touches no more.
UPDATE device_reading SET same_since = time - 10800000 WHERE same_since < time - 10800000;
UPDATE device_series SET same_since = time - 10800000 WHERE same_since < time - 10800000;

-- Which message under a number has had its events captured, from the transaction that captured them
-- until the one that stores the message: of two under one number on two nodes, only one has events.
CREATE TABLE device_claim (
    message_id @code PRIMARY KEY,
    -- SM3 of the canonical message without its signature.
    digest @code NOT NULL
);
