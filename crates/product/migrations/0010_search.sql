-- 名称检索.

ALTER TABLE product ADD COLUMN name_search TEXT;
@postgres ALTER TABLE product ADD COLUMN name_grams TEXT;
@postgres CREATE INDEX product_name_search ON product USING gin (string_to_array(name_grams, ' '));
@sqlite CREATE VIRTUAL TABLE product_words USING fts5(
@sqlite id UNINDEXED, owner, name, content = '', contentless_delete = 1,
@sqlite contentless_unindexed = 1, tokenize = "unicode61 remove_diacritics 0");
