-- Positions as numbers, in ten-millionths of a degree.

ALTER TABLE device ADD COLUMN lon_e7 BIGINT;
ALTER TABLE device ADD COLUMN lat_e7 BIGINT;
CREATE INDEX device_place ON device (lon_e7, lat_e7);
