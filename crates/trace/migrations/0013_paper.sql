-- What of the demands of a domain pack an event lacked; nothing for 入场无凭证 of packs that demand nothing.
ALTER TABLE batch_document_gap ADD COLUMN demand TEXT;

-- The voiding of a document as the ledger names it.
ALTER TABLE batch_document ADD COLUMN void_record @code;
