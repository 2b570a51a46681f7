-- 名称检索: the runs of letters that a search looks for. Of Chinese letters one and two, of Latin
-- letters and digits two and three. SQLite keeps full-text tables instead.

@postgres CREATE FUNCTION yj_grams(form TEXT) RETURNS TEXT[]
@postgres LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
@postgres SELECT array_agg(DISTINCT substr(form, at, width))
@postgres FROM generate_series(1, length(form)) AS at, generate_series(1, 3) AS width
@postgres WHERE at + width - 1 <= length(form) AND CASE width
@postgres WHEN 1 THEN ascii(substr(form, at, 1)) > 127
@postgres WHEN 3 THEN ascii(substr(form, at, 1)) < 128
@postgres ELSE TRUE END
@postgres $$;
