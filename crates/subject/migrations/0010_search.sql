-- 名称检索.

ALTER TABLE trace_subject ADD COLUMN name_search TEXT;
@postgres ALTER TABLE trace_subject ADD COLUMN name_grams TEXT;
ALTER TABLE trace_subject ADD COLUMN node_name_search TEXT;
@postgres ALTER TABLE trace_subject ADD COLUMN node_name_grams TEXT;
@postgres CREATE INDEX trace_subject_name_search ON trace_subject USING gin (string_to_array(name_grams, ' '));
@postgres CREATE INDEX trace_subject_node_name_search ON trace_subject USING gin (string_to_array(node_name_grams, ' '));
@sqlite CREATE VIRTUAL TABLE trace_subject_words USING fts5(
@sqlite id UNINDEXED, owner, name, node_name, content = '', contentless_delete = 1,
@sqlite contentless_unindexed = 1, tokenize = "unicode61 remove_diacritics 0");

ALTER TABLE node ADD COLUMN name_search TEXT;
@postgres ALTER TABLE node ADD COLUMN name_grams TEXT;
@postgres CREATE INDEX node_name_search ON node USING gin (string_to_array(name_grams, ' '));
@sqlite CREATE VIRTUAL TABLE node_words USING fts5(
@sqlite id UNINDEXED, owner, name, content = '', contentless_delete = 1,
@sqlite contentless_unindexed = 1, tokenize = "unicode61 remove_diacritics 0");

ALTER TABLE merchant ADD COLUMN name_search TEXT;
@postgres ALTER TABLE merchant ADD COLUMN name_grams TEXT;
@postgres CREATE INDEX merchant_name_search ON merchant USING gin (string_to_array(name_grams, ' '));
@sqlite CREATE VIRTUAL TABLE merchant_words USING fts5(
@sqlite id UNINDEXED, owner, name, content = '', contentless_delete = 1,
@sqlite contentless_unindexed = 1, tokenize = "unicode61 remove_diacritics 0");

CREATE INDEX trace_subject_filed ON trace_subject (filed_on, id);

-- Counting reads this instead of the table.
@postgres CREATE INDEX trace_subject_find ON trace_subject
@postgres (region, id, kind, product_kinds, roles, filed_on, node_code, label);
@sqlite CREATE INDEX trace_subject_find ON trace_subject
@sqlite (region, id, kind, product_kinds, roles, filed_on, node_code, label, name_search);

-- Positions as numbers, in ten-millionths of a degree.

ALTER TABLE trace_subject ADD COLUMN lon_e7 BIGINT;
ALTER TABLE trace_subject ADD COLUMN lat_e7 BIGINT;
CREATE INDEX trace_subject_place ON trace_subject (lon_e7, lat_e7);
ALTER TABLE node ADD COLUMN lon_e7 BIGINT;
ALTER TABLE node ADD COLUMN lat_e7 BIGINT;
CREATE INDEX node_place ON node (lon_e7, lat_e7);
