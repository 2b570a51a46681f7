-- Messages that brought an event which was known already: they hold a copy of it too (ADR 41).
CREATE TABLE device_event_again (
    event @code NOT NULL,
    message_id @code NOT NULL REFERENCES device_message (id),
    PRIMARY KEY (event, message_id)
);
