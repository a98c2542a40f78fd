UPDATE webhooks SET format = 'json', version = version + 1 WHERE format = 'custom';
ALTER TABLE webhooks DROP COLUMN template_version;
DROP TABLE templates;
COMMENT ON COLUMN webhooks.format IS 'Format of the requests: json, slack, discord, teams, cloudevents';
COMMENT ON COLUMN webhooks.health_since IS
    'Since when attempts count for the health: the latest activation or change of the URL or the format; null: since creation';
COMMENT ON COLUMN exchanges.said IS
    'JSON array of objects, one a line: url; sent: headers as [name, value], null for a secret value; got: headers; body, or body_base64 where it is not UTF-8: the first 16 KiB; truncated: whether the body is not complete; end: how it ended, where truncated does not say; repeated: why the request was sent twice';
