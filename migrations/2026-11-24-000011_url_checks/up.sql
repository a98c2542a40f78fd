-- URLs that the API wants looked at: only dispatchers connect to them.
CREATE TABLE url_checks (
    id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL,
    url text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    take_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    result jsonb
);
COMMENT ON COLUMN url_checks.take_at IS 'not before this time; ahead while a dispatcher has it in hand';
COMMENT ON COLUMN url_checks.result IS 'what was found out, and why it failed if it did';
CREATE INDEX url_checks_open ON url_checks (take_at) WHERE done_at IS NULL;
CREATE INDEX url_checks_by_age ON url_checks (requested_at);
