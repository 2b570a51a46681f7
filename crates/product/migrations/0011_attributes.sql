-- 产品属性 (YJ-core B): 由产品领域的领域包说明，并记检查时的版本.

ALTER TABLE product ADD COLUMN attributes TEXT;
ALTER TABLE product ADD COLUMN pack_version @code;
