ALTER TABLE settings DROP COLUMN portal_url;
