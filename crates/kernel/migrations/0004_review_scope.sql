-- A reviewer limited to a category or stage sees only requests of it.

ALTER TABLE change_request ADD COLUMN category TEXT;
ALTER TABLE change_request ADD COLUMN stage TEXT;
