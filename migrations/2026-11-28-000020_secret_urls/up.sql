-- URLs that are passwords. A sealed URL counts only while `url` holds a shown form: the version before writes whole
-- URLs into `url` and knows no other column, so the URL that it writes counts. The services seal whole URLs of chat
-- webhooks when they start, as SQL has no key.
ALTER TABLE webhooks
    ADD COLUMN sealed_url bytea,
    ADD COLUMN url_fingerprint bytea;
COMMENT ON COLUMN webhooks.url IS
    'Target URL; the shown form of a sealed URL: scheme, host, port, then /… and the last four characters';
COMMENT ON COLUMN webhooks.sealed_url IS
    'Target URL that is a password, sealed like the secret, and valid while url holds its shown form; null: the URL is not secret, or the webhook is deleted';
COMMENT ON COLUMN webhooks.url_fingerprint IS
    'HMAC-SHA256 of the sealed URL, under a key made of the sealing key: finds a webhook by its whole URL; null: no sealed URL';
COMMENT ON COLUMN url_checks.url IS 'URL to look at; of a secret URL scheme, host and port only';
COMMENT ON COLUMN webhooks.search_text IS 'Text that a search looks into: name, line break, URL as shown, in lower case';
-- Few rows have a fingerprint, so the index is small, and made at once.
CREATE INDEX webhooks_by_url_fingerprint ON webhooks (url_fingerprint) WHERE url_fingerprint IS NOT NULL;
COMMENT ON INDEX webhooks_by_url_fingerprint IS 'Searches for a whole secret URL';
