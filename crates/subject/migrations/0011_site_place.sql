-- Positions of sites as numbers, in ten-millionths of a degree.

ALTER TABLE site ADD COLUMN lon_e7 BIGINT;
ALTER TABLE site ADD COLUMN lat_e7 BIGINT;
CREATE INDEX site_place ON site (lon_e7, lat_e7);
