-- Nobody can open a sealed URL in SQL: a webhook with one keeps the shown form, and needs its URL anew.
UPDATE webhooks SET status = 'inactive', version = version + 1,
    disabled_reason = 'the whole URL was lost with a step back to an earlier version: enter the URL again'
WHERE sealed_url IS NOT NULL AND deleted_at IS NULL;
COMMENT ON COLUMN webhooks.search_text IS 'Text that a search looks into: name, line break, URL, in lower case';
COMMENT ON COLUMN url_checks.url IS 'URL to look at';
COMMENT ON COLUMN webhooks.url IS 'Target URL';
DROP INDEX webhooks_by_url_fingerprint;
ALTER TABLE webhooks
    DROP COLUMN sealed_url,
    DROP COLUMN url_fingerprint;
