ALTER TABLE settings DROP COLUMN link_patterns;
