-- Templates of webhooks with the format `custom`. The version before does not know the format: dispatchers are
-- upgraded before an admin chooses it.
CREATE TABLE templates (
    webhook_id uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    version integer NOT NULL CHECK (version > 0),
    template text NOT NULL CHECK (octet_length(template) <= 32768),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (webhook_id, version)
);
COMMENT ON TABLE templates IS
    'Versions of templates of webhooks. A row never changes; the latest 100 of a webhook are kept, none of a deleted webhook.';
COMMENT ON COLUMN templates.webhook_id IS 'Webhook';
COMMENT ON COLUMN templates.version IS 'Number of the version, from 1 for each webhook';
COMMENT ON COLUMN templates.template IS 'Template as the admin wrote it, byte for byte: JSON, at most 32 KiB';
COMMENT ON COLUMN templates.created_at IS 'Time at which the version was saved';
COMMENT ON INDEX templates_pkey IS 'The templates of webhooks: the current one by version, all of them as a list';

ALTER TABLE webhooks ADD COLUMN template_version integer;
COMMENT ON COLUMN webhooks.template_version IS 'Version of the template in use; null: the format is another than custom';
COMMENT ON COLUMN webhooks.format IS 'Format of the requests: json, slack, discord, teams, cloudevents, custom';
COMMENT ON COLUMN webhooks.health_since IS
    'Since when attempts count for the health: the latest activation or change of the URL, the format or the template; null: since creation';
COMMENT ON COLUMN exchanges.said IS
    'JSON array of objects, one a line: url; sent: headers as [name, value], null for a secret value; sent_body: the first 32 KiB of the body, where it is not the events; template: version of the template that wrote the body; got: headers; body, or body_base64 where it is not UTF-8: the first 16 KiB; truncated: whether the body is not complete; end: how it ended, where truncated does not say; repeated: why the request was sent twice';
