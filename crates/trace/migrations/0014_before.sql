-- Documents, and voidings of documents, that are older than their records on the ledger: nobody is to
-- look for those.
CREATE TABLE batch_document_before (
    document_id @code NOT NULL REFERENCES batch_document (id),
    what @code NOT NULL CHECK (what IN ('made', 'void')),
    PRIMARY KEY (document_id, what)
);
INSERT INTO batch_document_before (document_id, what)
    SELECT d.id, 'made' FROM batch_document d
    WHERE NOT EXISTS (SELECT 1 FROM anchor_state a WHERE a.record = d.id);
INSERT INTO batch_document_before (document_id, what)
    SELECT d.id, 'void' FROM batch_document d WHERE d.state = 'void' AND d.void_record IS NULL;
