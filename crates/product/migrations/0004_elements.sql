-- 产品数据元 (§6.3.3, YJ-core B); 暂停与召回.

ALTER TABLE product ADD COLUMN generic_name TEXT;
ALTER TABLE product ADD COLUMN catalogue_code @code REFERENCES catalogue (code);
ALTER TABLE product ADD COLUMN catalogue_version BIGINT REFERENCES catalogue_version (number);
ALTER TABLE product ADD COLUMN model TEXT;
ALTER TABLE product ADD COLUMN item_code @code;
ALTER TABLE product ADD COLUMN pack_level @code;
ALTER TABLE product ADD COLUMN inner_id @code REFERENCES product (id);
ALTER TABLE product ADD COLUMN inner_count BIGINT CHECK (inner_count > 0);
ALTER TABLE product RENAME COLUMN shelf_life_days TO shelf_life;
ALTER TABLE product ADD COLUMN shelf_life_unit @code;
ALTER TABLE product ADD COLUMN storage TEXT;
ALTER TABLE product ADD COLUMN approval_until @code;
ALTER TABLE product ADD COLUMN maker_id @code;
ALTER TABLE product ADD COLUMN origin_region @code;
ALTER TABLE product ADD COLUMN state @code NOT NULL DEFAULT 'active'
    CHECK (state IN ('active', 'suspended', 'recalling'));
ALTER TABLE product ADD COLUMN recall_level @code
    CHECK (recall_level IS NULL OR state = 'recalling');
ALTER TABLE product ADD COLUMN state_reason TEXT;
ALTER TABLE product ADD COLUMN state_since BIGINT;

UPDATE product SET shelf_life_unit = 'day' WHERE shelf_life IS NOT NULL;
UPDATE product SET maker_id = subject_id;

CREATE INDEX product_catalogue ON product (catalogue_code);
CREATE INDEX product_inner ON product (inner_id);
CREATE INDEX product_state ON product (state, id);
CREATE UNIQUE INDEX product_item_code ON product (subject_id, item_code);
