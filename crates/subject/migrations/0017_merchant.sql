-- 商户驻场 (G-6.2.3, handbook §2.4): the further nodes where a merchant trades, each for a time; and
-- 品种 of merchants as classes of the catalogue, instead of a list of fourteen foods.

CREATE TABLE merchant_place (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    merchant_code @code NOT NULL,
    node_id @code NOT NULL REFERENCES node (id),
    booth TEXT,
    registered_on @code NOT NULL,
    left_on @code CHECK (left_on >= registered_on),
    merchant_id @code NOT NULL REFERENCES merchant (id),
    region @code NOT NULL,
    operator_id @code NOT NULL,
    stage @code,
    UNIQUE (merchant_id, node_id)
);
CREATE INDEX merchant_place_node ON merchant_place (node_id, id);
CREATE INDEX merchant_place_region ON merchant_place (region, id);
CREATE INDEX merchant_place_operator ON merchant_place (operator_id, id);

-- 牛羊肉 and 粮油 are two classes each; 其他 stays what is in none.
UPDATE merchant SET goods = REPLACE(goods, '"vegetable"', '"0101"');
UPDATE merchant SET goods = REPLACE(goods, '"fruit"', '"0102"');
UPDATE merchant SET goods = REPLACE(goods, '"pork"', '"0106"');
UPDATE merchant SET goods = REPLACE(goods, '"beef"', '"0107","0108"');
UPDATE merchant SET goods = REPLACE(goods, '"poultry"', '"0109"');
UPDATE merchant SET goods = REPLACE(goods, '"egg"', '"0110"');
UPDATE merchant SET goods = REPLACE(goods, '"aquatic"', '"0112"');
UPDATE merchant SET goods = REPLACE(goods, '"dairy"', '"0201"');
UPDATE merchant SET goods = REPLACE(goods, '"grain"', '"0104","0205"');
UPDATE merchant SET goods = REPLACE(goods, '"tea"', '"0103"');
UPDATE merchant SET goods = REPLACE(goods, '"fungus"', '"0105"');
UPDATE merchant SET goods = REPLACE(goods, '"herb"', '"0306"');
UPDATE merchant SET goods = REPLACE(goods, '"food"', '"02"');
