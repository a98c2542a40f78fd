-- The portal's own address, for links in messages. The version before does not read the column, and keeps its
-- value when it changes other settings.
ALTER TABLE settings ADD COLUMN portal_url text;
COMMENT ON COLUMN settings.portal_url IS
    'Scheme, host and port under which people reach the portal, without a path: messages link to the pages of deliveries; null: not set';
