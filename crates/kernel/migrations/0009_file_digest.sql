-- Files are found by the digest of their content (D-6.3).

CREATE INDEX attachment_sm3 ON attachment (sm3);
