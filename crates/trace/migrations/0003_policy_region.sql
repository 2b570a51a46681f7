-- A policy is of the part of the area whose supervisors made it.

ALTER TABLE source_policy ADD COLUMN region @code;
