UPDATE webhooks SET format = 'json', status = 'inactive', version = version + 1,
    disabled_reason = 'the template was lost with a step back to an earlier version: the receiver would get other bodies'
WHERE format = 'custom' AND deleted_at IS NULL;
UPDATE webhooks SET format = 'json' WHERE format = 'custom';
ALTER TABLE webhooks DROP COLUMN template_version;
DROP TABLE templates;
COMMENT ON COLUMN webhooks.format IS 'Format of the requests: json, slack, discord, teams, cloudevents';
COMMENT ON COLUMN webhooks.health_since IS
    'Since when attempts count for the health: the latest activation or change of the URL or the format; null: since creation';
COMMENT ON COLUMN exchanges.said IS
    'JSON array of objects, one a line: url; sent: headers as [name, value], null for a secret value; got: headers; body, or body_base64 where it is not UTF-8: the first 16 KiB; truncated: whether the body is not complete; end: how it ended, where truncated does not say; repeated: why the request was sent twice';
