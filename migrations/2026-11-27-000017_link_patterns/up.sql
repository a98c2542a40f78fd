-- Pages of the platform for ids in payloads. The version before does not read the column, and keeps its
-- value when it changes other settings.
ALTER TABLE settings ADD COLUMN link_patterns jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN settings.link_patterns IS 'JSON object: URL of a page by field of a payload, {id} in place of the id';
