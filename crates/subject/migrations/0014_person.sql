-- 自然人与农户 (handbook §2.3.4): the blind index of the document of whoever waits for review, so that one
-- person is not filed twice. It goes when the request is approved.

CREATE TABLE subject_claim (
    request @code PRIMARY KEY,
    blind @code NOT NULL
);
CREATE INDEX subject_claim_blind ON subject_claim (blind);
