-- A comment on every table, column and index, as docs/schema.md shows them. A comment of an index names
-- the statements that the index serves.

COMMENT ON TABLE webhooks IS 'Webhooks: where events are sent, which events, and how. A deleted webhook keeps its row, without secrets, for the sake of its history.';
COMMENT ON COLUMN webhooks.id IS 'UUID v7: ids sort in the order of creation';
COMMENT ON COLUMN webhooks.version IS 'Number of changes, from 1. Caches and If-Match compare it';
COMMENT ON COLUMN webhooks.name IS 'Name that an admin gave';
COMMENT ON COLUMN webhooks.url IS 'Target URL';
COMMENT ON COLUMN webhooks.environment IS 'Environment whose events the webhook receives';
COMMENT ON COLUMN webhooks.description IS 'Text for people; empty: none';
COMMENT ON COLUMN webhooks.status IS 'active or inactive';
COMMENT ON COLUMN webhooks.disabled_reason IS 'Why the platform set the webhook Inactive; null: it did not';
COMMENT ON COLUMN webhooks.event_types IS 'Event selection as chosen: patterns such as license.*';
COMMENT ON COLUMN webhooks.sealed_secret IS 'Webhook Secret: id of the sealing key (8 bytes), nonce (24 bytes), XChaCha20-Poly1305 ciphertext; the associated data is the id';
COMMENT ON COLUMN webhooks.created_at IS 'Time of creation';
COMMENT ON COLUMN webhooks.updated_at IS 'Time of the latest change';
COMMENT ON COLUMN webhooks.max_concurrency IS 'Most requests at once per dispatcher; null: the dispatchers default';
COMMENT ON COLUMN webhooks.rate_limit IS 'Most requests per second, from all dispatchers together; null: no limit';
COMMENT ON COLUMN webhooks.ordering_field IS 'Field of data whose equal values are delivered in order; null: no order';
COMMENT ON COLUMN webhooks.header_names IS 'Names of the custom headers, in order';
COMMENT ON COLUMN webhooks.sealed_headers IS 'Custom headers as a JSON object, sealed like the secret; null: none';
COMMENT ON COLUMN webhooks.metadata IS 'JSON object of text values';
COMMENT ON COLUMN webhooks.timeout_ms IS 'Longest time of an attempt, in milliseconds; null: the timeout of the retry policy';
COMMENT ON COLUMN webhooks.deleted_at IS 'Time of deletion; null: not deleted. A deleted webhook is Inactive for ever';
COMMENT ON COLUMN webhooks.search_text IS 'Text that a search looks into: name, line break, URL, in lower case';
COMMENT ON INDEX webhooks_pkey IS 'A webhook by id; joins';
COMMENT ON INDEX webhooks_id_environment_key IS 'Foreign key of subscriptions, which repeats the environment';
DO $$
BEGIN
    IF to_regclass('webhooks_search') IS NOT NULL THEN
        COMMENT ON INDEX webhooks_search IS
            'Search for a part of a name or URL. Needs the extension pg_trgm; without it a search reads all rows';
    END IF;
END $$;
COMMENT ON INDEX webhooks_by_pattern IS 'Lists of webhooks that receive an event type';
COMMENT ON INDEX webhooks_by_name IS 'Lists sorted by name; webhooks with a given name';

COMMENT ON TABLE subscriptions IS 'Event selections written out: a row for each event type that a webhook receives. The intake matches events with them.';
COMMENT ON COLUMN subscriptions.webhook_id IS 'Webhook';
COMMENT ON COLUMN subscriptions.environment IS 'Environment of the webhook';
COMMENT ON COLUMN subscriptions.event_type IS 'Event type';
COMMENT ON INDEX subscriptions_pkey IS 'match.sql: webhooks that receive an event type of an environment';
COMMENT ON INDEX subscriptions_by_webhook IS 'Deleting and cascading the subscriptions of a webhook';

COMMENT ON TABLE retry_policies IS 'Retry policies: the default of each environment, and the policies of webhooks that have their own.';
COMMENT ON COLUMN retry_policies.environment IS 'Environment whose default this is; null: policy of a webhook';
COMMENT ON COLUMN retry_policies.webhook_id IS 'Webhook whose own policy this is; null: default of an environment';
COMMENT ON COLUMN retry_policies.max_attempts IS 'Most attempts of a delivery';
COMMENT ON COLUMN retry_policies.initial_interval_ms IS 'Delay before the first retry, in milliseconds';
COMMENT ON COLUMN retry_policies.multiplier IS 'Growth of the delay from retry to retry';
COMMENT ON COLUMN retry_policies.max_interval_ms IS 'Longest delay, in milliseconds';
COMMENT ON COLUMN retry_policies.jitter IS 'Part of a delay by which it may differ, 0 to 1';
COMMENT ON COLUMN retry_policies.timeout_ms IS 'Longest time of an attempt, in milliseconds';
COMMENT ON INDEX retry_policies_environment_key IS 'The default of an environment';
COMMENT ON INDEX retry_policies_webhook_id_key IS 'The policy of a webhook';

COMMENT ON TABLE rate_buckets IS 'Token buckets of webhooks with a rate limit. A full bucket holds the tokens of a tenth of a second.';
COMMENT ON COLUMN rate_buckets.webhook_id IS 'Webhook';
COMMENT ON COLUMN rate_buckets.tokens IS 'Requests that could be made at refilled_at';
COMMENT ON COLUMN rate_buckets.refilled_at IS 'Time of the latest claim';
COMMENT ON INDEX rate_buckets_pkey IS 'claim_backlog.sql: the buckets of the webhooks with a backlog';

COMMENT ON TABLE webhook_health IS 'Circuits and holds: webhooks that are failing, and webhooks whose receivers asked for no requests. Other webhooks have no row.';
COMMENT ON COLUMN webhook_health.webhook_id IS 'Webhook';
COMMENT ON COLUMN webhook_health.failing_since IS 'Time of the first failed attempt since the last accepted one';
COMMENT ON COLUMN webhook_health.failures IS 'Failed attempts since the last accepted one; 0: the webhook is only held, or nothing';
COMMENT ON COLUMN webhook_health.warned_at IS 'Time at which the platform was warned that the webhook will be set Inactive; null: not yet';
COMMENT ON COLUMN webhook_health.paused_at IS 'Time at which the circuit opened; null: closed';
COMMENT ON COLUMN webhook_health.paused_until IS 'Earliest time of the next probe; null: the circuit is closed';
COMMENT ON COLUMN webhook_health.pauses IS 'Number of pauses in a row';
COMMENT ON COLUMN webhook_health.held_until IS 'Time before which the receiver asked for no requests; null: it did not ask';
COMMENT ON INDEX webhook_health_pkey IS 'The state of a webhook; record.sql, match.sql and claim_backlog.sql join it';
COMMENT ON INDEX webhook_health_held IS 'Webhooks that are held now';

COMMENT ON TABLE previous_secrets IS 'Webhook Secrets that were replaced and still sign.';
COMMENT ON COLUMN previous_secrets.webhook_id IS 'Webhook';
COMMENT ON COLUMN previous_secrets.sealed_secret IS 'Secret, sealed like webhooks.sealed_secret';
COMMENT ON COLUMN previous_secrets.valid_until IS 'End of the grace period';
COMMENT ON COLUMN previous_secrets.replaced_at IS 'Time of the replacement';
COMMENT ON INDEX previous_secrets_pkey IS 'The replaced secrets of a webhook, in order';

COMMENT ON TABLE webhook_history IS 'Versions of webhooks, as far as they decide which events a webhook is owed. Triggers on webhooks write it when a change commits.';
COMMENT ON COLUMN webhook_history.webhook_id IS 'Webhook';
COMMENT ON COLUMN webhook_history.version IS 'Version of the webhook when this began; 0: the webhook did not exist yet';
COMMENT ON COLUMN webhook_history.name IS 'Name';
COMMENT ON COLUMN webhook_history.environment IS 'Environment';
COMMENT ON COLUMN webhook_history.status IS 'active or inactive';
COMMENT ON COLUMN webhook_history.disabled_reason IS 'Why the platform had set the webhook Inactive';
COMMENT ON COLUMN webhook_history.event_types IS 'Event selection, as patterns';
COMMENT ON COLUMN webhook_history.deleted IS 'Whether the webhook was deleted';
COMMENT ON COLUMN webhook_history.valid_from IS 'Time at which the change was committed, as nearly as can be told';
COMMENT ON COLUMN webhook_history.valid_until IS 'Time of the next change; infinity: valid today';
COMMENT ON INDEX webhook_history_pkey IS 'A version of a webhook; retention of one webhook after the other';
COMMENT ON INDEX webhook_history_by_time IS 'explain.sql: all webhooks as they were at a time';

COMMENT ON TABLE events IS 'Events that were taken in, with their bodies.';
COMMENT ON COLUMN events.id IS 'Id that the publisher chose: an event with a known id is passed over';
COMMENT ON COLUMN events.event_type IS 'Event type';
COMMENT ON COLUMN events.environment IS 'Environment';
COMMENT ON COLUMN events.occurred_at IS 'Time of the event, by the publishers clock';
COMMENT ON COLUMN events.received_at IS 'Time at which webhooks were matched with the event';
COMMENT ON COLUMN events.body IS 'Event as published, byte for byte, at most 256 KiB';
COMMENT ON COLUMN events.test_webhook_id IS 'Only webhook that a test event is for; null: not a test event';
COMMENT ON COLUMN events.matched IS 'Whether any webhook was owed the event when it was taken in';
COMMENT ON INDEX events_pkey IS 'An event by id; take_in.sql passes over known ids; claims read bodies';
COMMENT ON INDEX events_listed IS 'list.sql, list_latest.sql, list_candidates.sql: events in 126 groups of type, environment and matched, each in the order of time';
COMMENT ON INDEX events_by_age IS 'Retention: the oldest events';

COMMENT ON TABLE deliveries IS 'Deliveries: an event that is owed to a webhook. Two partitions, by status. A statement that changes a status deletes the row and inserts it into the other partition: an update would fail a statement that waits for the row. No foreign keys, as a check per row would cost more than the row.';
COMMENT ON COLUMN deliveries.id IS 'UUID v7: ids sort in the order of creation';
COMMENT ON COLUMN deliveries.event_id IS 'Event';
COMMENT ON COLUMN deliveries.webhook_id IS 'Webhook';
COMMENT ON COLUMN deliveries.status IS 'pending, succeeded, failed or cancelled';
COMMENT ON COLUMN deliveries.attempts IS 'Number of recorded attempts';
COMMENT ON COLUMN deliveries.next_attempt_at IS 'Earliest time of the next attempt; a lease moves it ahead; null: ended, or held until the delivery before it in its order has ended';
COMMENT ON COLUMN deliveries.created_at IS 'Time of creation';
COMMENT ON COLUMN deliveries.ended_at IS 'Time of the end; null: pending';
COMMENT ON COLUMN deliveries.backlog IS 'Queue in which a due delivery waits for room in a lane: 0 first attempts, 1 retries; null: leased, not due, held or ended';
COMMENT ON COLUMN deliveries.ordering_key IS 'Hash of the value of the ordering field; the pending deliveries of a webhook and key go one by one; null: no order';
COMMENT ON COLUMN deliveries.ordering_sequence IS 'Number that orders the deliveries of a key, as they were taken from the broker';
COMMENT ON COLUMN deliveries.event_type IS 'Type of the event, repeated as the event may be removed first';
COMMENT ON COLUMN deliveries.environment IS 'Environment of the event';
COMMENT ON COLUMN deliveries.test IS 'Whether the event is a test event';
COMMENT ON COLUMN deliveries.last_answer IS 'Result of the latest attempt: the HTTP status, or 1 dns, 2 connect, 3 tls, 4 timeout, 5 reset, 6 blocked_address, 7 protocol; 0: not attempted yet';
COMMENT ON COLUMN deliveries.schedule_from IS 'Number of attempts that the retry schedule does not count: those before an admin asked for a retry, and those since then that cost none because the response was 429';
COMMENT ON COLUMN deliveries.schedule_since IS 'Time at which the retry schedule began anew, as an admin asked for a retry; null: at created_at';
COMMENT ON COLUMN deliveries.throttled IS 'Latest attempts in a row whose response was 429 and that cost none';
COMMENT ON INDEX deliveries_by_webhook IS 'list_by_webhook.sql, count_by_webhook.sql, and counts and cancels of what is pending: the groups of a webhook, each in the order of ids';
COMMENT ON INDEX deliveries_by_group IS 'list_by_group.sql, count_by_group.sql: the groups of all webhooks, each in the order of ids';

COMMENT ON TABLE deliveries_pending IS 'Partition of deliveries: pending ones. Every delivery passes through it, so it has only the indexes that lead to work.';
COMMENT ON INDEX deliveries_pending_pkey IS 'record.sql, hand_back.sql and every other statement that moves a delivery on';
COMMENT ON INDEX deliveries_pending_by_event IS 'Deliveries of an event; an event is owed to a webhook once; retention keeps events with pending deliveries';
COMMENT ON INDEX deliveries_coming_due IS 'promote_due.sql: deliveries whose time has come';
COMMENT ON INDEX deliveries_backlog IS 'claim_backlog.sql, claim_probes.sql: the backlog of each webhook, in the order of time';
COMMENT ON INDEX deliveries_in_order IS 'release_heads.sql, release_stuck.sql: the first delivery of each ordering key';

COMMENT ON TABLE deliveries_ended IS 'Partition of deliveries: those that ended.';
COMMENT ON INDEX deliveries_ended_pkey IS 'A delivery by id; retention';
COMMENT ON INDEX deliveries_ended_by_event IS 'Deliveries of an event; an event is owed to a webhook once';
COMMENT ON INDEX deliveries_ended_by_webhook IS 'Part of deliveries_by_webhook';
COMMENT ON INDEX deliveries_ended_by_group IS 'Part of deliveries_by_group';

COMMENT ON TABLE attempts IS 'Attempts: every HTTP request that was made for a delivery.';
COMMENT ON COLUMN attempts.delivery_id IS 'Delivery';
COMMENT ON COLUMN attempts.number IS 'Number of the attempt, from 1';
COMMENT ON COLUMN attempts.started_at IS 'Start';
COMMENT ON COLUMN attempts.duration_ms IS 'Duration, in milliseconds';
COMMENT ON COLUMN attempts.response_status IS 'HTTP status; null: no response came';
COMMENT ON COLUMN attempts.failure_class IS 'Kind of failure; null: succeeded';
COMMENT ON COLUMN attempts.failure_detail IS 'Failure in words';
COMMENT ON COLUMN attempts.dns_ms IS 'Time of the name look-up, in milliseconds; null: a connection was there';
COMMENT ON COLUMN attempts.connect_ms IS 'Time of connecting, TLS included, in milliseconds; null: a connection was there';
COMMENT ON COLUMN attempts.first_byte_ms IS 'Time from the start to the head of the response, in milliseconds';
COMMENT ON COLUMN attempts.exchange_id IS 'Row of exchanges that holds the transcript, for as long as it is kept';
COMMENT ON COLUMN attempts.exchange_place IS 'Place of the transcript in that row, from 0';
COMMENT ON INDEX attempts_pkey IS 'Attempts of a delivery, in order. The start tells apart two attempts with one number, of a worker that outlived its lease and of its successor';

COMMENT ON TABLE exchanges IS 'Transcripts: requests and responses of attempts that were recorded together. The body of a request is the events.';
COMMENT ON COLUMN exchanges.id IS 'UUID v7';
COMMENT ON COLUMN exchanges.recorded_at IS 'Time of recording';
COMMENT ON COLUMN exchanges.said IS 'JSON array of objects, one a line: url; sent: headers as [name, value], null for a secret value; got: headers; body, or body_base64 where it is not UTF-8: the first 16 KiB; truncated: whether the body is not complete; end: how it ended, where truncated does not say; repeated: why the request was sent twice';
COMMENT ON INDEX exchanges_pkey IS 'The transcript of an attempt; retention';

COMMENT ON TABLE resends IS 'Retries that admins asked for, and deliveries that replays created.';
COMMENT ON COLUMN resends.delivery_id IS 'Delivery';
COMMENT ON COLUMN resends.requested_at IS 'Time of the request';
COMMENT ON COLUMN resends.after_attempt IS 'Number of attempts at that time';
COMMENT ON COLUMN resends.status_before IS 'Status of the delivery at that time; missed: a replay created the delivery';
COMMENT ON COLUMN resends.actor_name IS 'Name of the API key or command that asked';
COMMENT ON COLUMN resends.job_id IS 'Job that asked; null: a single retry';
COMMENT ON INDEX resends_pkey IS 'Retries of a delivery, in order';

COMMENT ON TABLE jobs IS 'Jobs: many deliveries made due step by step. A step, its counts and its place are one transaction.';
COMMENT ON COLUMN jobs.id IS 'UUID v7: ids sort in the order of creation';
COMMENT ON COLUMN jobs.kind IS 'retry or replay';
COMMENT ON COLUMN jobs.status IS 'running, finished or cancelled';
COMMENT ON COLUMN jobs.webhook_id IS 'Webhook that the job is about; null: several';
COMMENT ON COLUMN jobs.selection IS 'Deliveries or events that the job is about, as JSON';
COMMENT ON COLUMN jobs.rate IS 'Most deliveries per second';
COMMENT ON COLUMN jobs.total IS 'Number of deliveries or events to look at, counted when the job was created';
COMMENT ON COLUMN jobs.done IS 'Deliveries made due';
COMMENT ON COLUMN jobs.skipped IS 'Looked at and left alone: not sendable any more, or under way already';
COMMENT ON COLUMN jobs.position IS 'Last one that was looked at; null: none yet';
COMMENT ON COLUMN jobs.next_step_at IS 'Earliest time of the next step';
COMMENT ON COLUMN jobs.actor_id IS 'API key that created the job; null: the command line';
COMMENT ON COLUMN jobs.actor_name IS 'Name of that key';
COMMENT ON COLUMN jobs.created_at IS 'Time of creation';
COMMENT ON COLUMN jobs.ended_at IS 'Time of the end; null: running';
COMMENT ON INDEX jobs_pkey IS 'A job by id; lists, newest first; retention';
COMMENT ON INDEX jobs_running IS 'take_step.sql: the running job that has waited longest';

COMMENT ON TABLE status_events IS 'Outbox of messages for the platforms own services. A row is deleted when the broker has confirmed its message.';
COMMENT ON COLUMN status_events.id IS 'UUID v7: ids sort in the order of creation';
COMMENT ON COLUMN status_events.routing_key IS '<environment>.<type>';
COMMENT ON COLUMN status_events.body IS 'Body as JSON';
COMMENT ON COLUMN status_events.publish_at IS 'Earliest time of publishing; a lease moves it ahead';
COMMENT ON INDEX status_events_pkey IS 'Deleting confirmed messages';
COMMENT ON INDEX status_events_due IS 'claim.sql: messages that are due';

COMMENT ON TABLE rejected_messages IS 'Messages that are no events, until an admin requeues or discards them.';
COMMENT ON COLUMN rejected_messages.id IS 'UUID v7, given by the dispatcher that rejected the message';
COMMENT ON COLUMN rejected_messages.reason IS 'Why the message is no event';
COMMENT ON COLUMN rejected_messages.exchange IS 'Exchange that the message was published to; empty: straight into a queue';
COMMENT ON COLUMN rejected_messages.routing_key IS 'Routing key of the message';
COMMENT ON COLUMN rejected_messages.body IS 'Body as published, or its start';
COMMENT ON COLUMN rejected_messages.body_bytes IS 'Size of the body as published, in bytes';
COMMENT ON COLUMN rejected_messages.body_truncated IS 'Whether only the start is kept, so that the message cannot be requeued';
COMMENT ON COLUMN rejected_messages.rejected_at IS 'Time of writing, by the clock of Postgres';
COMMENT ON INDEX rejected_messages_pkey IS 'A message by id; lists; retention';

COMMENT ON TABLE url_checks IS 'Checks of URLs that the API asks for: only dispatchers connect to receivers.';
COMMENT ON COLUMN url_checks.id IS 'UUID v7';
COMMENT ON COLUMN url_checks.webhook_id IS 'Webhook';
COMMENT ON COLUMN url_checks.url IS 'URL to look at';
COMMENT ON COLUMN url_checks.requested_at IS 'Time of the request';
COMMENT ON COLUMN url_checks.take_at IS 'Earliest time at which a dispatcher may take the check; a lease moves it ahead';
COMMENT ON COLUMN url_checks.done_at IS 'Time of the report; null: open';
COMMENT ON COLUMN url_checks.result IS 'Report, as JSON';
COMMENT ON INDEX url_checks_pkey IS 'A check by id';
COMMENT ON INDEX url_checks_open IS 'take_open.sql: open checks';
COMMENT ON INDEX url_checks_by_age IS 'Deleting old checks';

COMMENT ON TABLE webhook_activity IS 'Latest attempt of each webhook.';
COMMENT ON COLUMN webhook_activity.webhook_id IS 'Webhook';
COMMENT ON COLUMN webhook_activity.delivery_id IS 'Delivery';
COMMENT ON COLUMN webhook_activity.delivery_status IS 'Status of the delivery after the attempt';
COMMENT ON COLUMN webhook_activity.attempted_at IS 'Start of the attempt';
COMMENT ON COLUMN webhook_activity.response_status IS 'HTTP status; null: no response came';
COMMENT ON COLUMN webhook_activity.failure_class IS 'Kind of failure; null: succeeded';
COMMENT ON INDEX webhook_activity_pkey IS 'The latest attempt of a webhook; record.sql updates it';

COMMENT ON TABLE webhook_hours IS 'Counts per webhook and hour of attempts that began in the hour.';
COMMENT ON COLUMN webhook_hours.webhook_id IS 'Webhook';
COMMENT ON COLUMN webhook_hours.hour IS 'Start of the hour';
COMMENT ON COLUMN webhook_hours.attempts IS 'Attempts';
COMMENT ON COLUMN webhook_hours.failed_attempts IS 'Failed attempts';
COMMENT ON COLUMN webhook_hours.succeeded IS 'Deliveries that succeeded';
COMMENT ON COLUMN webhook_hours.failed IS 'Deliveries that were given up';
COMMENT ON COLUMN webhook_hours.failures IS 'Failed attempts by the position of their kind in the domains list; missing positions at the end are 0';
COMMENT ON COLUMN webhook_hours.durations IS 'Attempts by bucket of their duration; missing buckets at the end are 0';
COMMENT ON INDEX webhook_hours_pkey IS 'The hours of a webhook; record.sql updates them; retention';
COMMENT ON INDEX webhook_hours_by_hour IS 'No statement: left from a version that summed hours over all webhooks';

COMMENT ON TABLE total_hours IS 'Counts per hour over all webhooks. A row per worker, so that no worker waits for another.';
COMMENT ON COLUMN total_hours.hour IS 'Start of the hour';
COMMENT ON COLUMN total_hours.worker_id IS 'Dispatcher process; nil: counts of before there were rows per worker';
COMMENT ON COLUMN total_hours.attempts IS 'Attempts';
COMMENT ON COLUMN total_hours.failed_attempts IS 'Failed attempts';
COMMENT ON COLUMN total_hours.succeeded IS 'Deliveries that succeeded';
COMMENT ON COLUMN total_hours.failed IS 'Deliveries that were given up';
COMMENT ON COLUMN total_hours.failures IS 'Failed attempts by kind, as in webhook_hours';
COMMENT ON COLUMN total_hours.durations IS 'Attempts by bucket of their duration, as in webhook_hours';
COMMENT ON INDEX total_hours_pkey IS 'The hours of a span of time; record.sql updates them; retention';

COMMENT ON TABLE api_keys IS 'API keys. Only hashes are stored.';
COMMENT ON COLUMN api_keys.id IS 'UUID v7: ids sort in the order of creation';
COMMENT ON COLUMN api_keys.name IS 'Name that an owner gave';
COMMENT ON COLUMN api_keys.role IS 'viewer, publisher, admin or owner';
COMMENT ON COLUMN api_keys.prefix IS 'First characters of the key, for people to recognise it';
COMMENT ON COLUMN api_keys.hash IS 'SHA-256 of the key; the key itself is not stored';
COMMENT ON COLUMN api_keys.created_at IS 'Time of creation';
COMMENT ON COLUMN api_keys.expires_at IS 'Time from which the key is refused; null: never';
COMMENT ON COLUMN api_keys.revoked_at IS 'Time of the revocation; null: not revoked';
COMMENT ON COLUMN api_keys.last_used_at IS 'Time of the latest use, to the minute; null: never used';
COMMENT ON INDEX api_keys_pkey IS 'A key by id; lists, newest first';
COMMENT ON INDEX api_keys_hash_key IS 'The key of a request';

COMMENT ON TABLE sessions IS 'Sessions of browsers that signed in with an API key. A session ends with its key.';
COMMENT ON COLUMN sessions.hash IS 'SHA-256 of the cookies value; the value itself is not stored';
COMMENT ON COLUMN sessions.api_key_id IS 'API key';
COMMENT ON COLUMN sessions.expires_at IS 'End of the session';
COMMENT ON INDEX sessions_pkey IS 'The session of a request';
COMMENT ON INDEX sessions_by_end IS 'Deleting expired sessions';

COMMENT ON TABLE audit_entries IS 'Audit log: who changed what and when.';
COMMENT ON COLUMN audit_entries.id IS 'UUID v7 of the time in at: ids sort in the order of time';
COMMENT ON COLUMN audit_entries.at IS 'Time of the change';
COMMENT ON COLUMN audit_entries.actor_id IS 'API key; null: the platform itself, or the command line';
COMMENT ON COLUMN audit_entries.actor_name IS 'Name of the key, platform, or name of the command';
COMMENT ON COLUMN audit_entries.request_id IS 'Id of the request that asked for the change';
COMMENT ON COLUMN audit_entries.action IS 'Kind of change';
COMMENT ON COLUMN audit_entries.webhook_id IS 'Webhook that was changed; null: another thing';
COMMENT ON COLUMN audit_entries.subject IS 'Name of the changed thing at that time';
COMMENT ON COLUMN audit_entries.before IS 'Changed fields with their values before, as JSON, without secrets';
COMMENT ON COLUMN audit_entries.after IS 'The same fields with their values after';
COMMENT ON INDEX audit_entries_pkey IS 'An entry by id; lists, newest first; retention';
COMMENT ON INDEX audit_by_webhook IS 'Lists of the changes of a webhook';
COMMENT ON INDEX audit_by_actor IS 'Lists of the changes by an API key';

COMMENT ON TABLE idempotency_keys IS 'Remembered creations: responses to requests that created something, given again when a client repeats the request within 24 hours.';
COMMENT ON COLUMN idempotency_keys.id IS 'Id that the sealed response is bound to';
COMMENT ON COLUMN idempotency_keys.api_key_id IS 'API key of the client';
COMMENT ON COLUMN idempotency_keys.key IS 'Idempotency-Key that the client chose';
COMMENT ON COLUMN idempotency_keys.request_hash IS 'SHA-256 of method, path and body';
COMMENT ON COLUMN idempotency_keys.sealed_answer IS 'Response, sealed as it may hold a secret; null only while the transaction of the request runs';
COMMENT ON COLUMN idempotency_keys.made_id IS 'Created thing; when it is deleted, the response goes';
COMMENT ON COLUMN idempotency_keys.created_at IS 'Time of the request';
COMMENT ON INDEX idempotency_keys_pkey IS 'The remembered creation of a request';
COMMENT ON INDEX idempotency_by_made IS 'Deleting the responses that tell of a deleted thing';
COMMENT ON INDEX idempotency_by_age IS 'Deleting remembered creations after 24 hours';

COMMENT ON TABLE settings IS 'Settings of the platform, in one row.';
COMMENT ON COLUMN settings.id IS 'Always true: one row';
COMMENT ON COLUMN settings.version IS 'Number of changes, from 1. If-Match compares it';
COMMENT ON COLUMN settings.keep_events_s IS 'How long events and rejected messages are kept, in seconds';
COMMENT ON COLUMN settings.keep_deliveries_s IS 'How long deliveries, attempts and jobs are kept, in seconds';
COMMENT ON COLUMN settings.keep_bodies_s IS 'How long transcripts are kept, in seconds';
COMMENT ON COLUMN settings.keep_audit_s IS 'How long audit entries are kept, in seconds';
COMMENT ON COLUMN settings.disable_after_s IS 'How long a webhook may do nothing but fail before it is set Inactive, in seconds';
COMMENT ON COLUMN settings.grace_period_s IS 'How long a replaced secret signs by default, in seconds';
COMMENT ON COLUMN settings.egress_addresses IS 'Addresses that requests come from, for the allow-lists of receivers; single ones or CIDR ranges';
COMMENT ON COLUMN settings.updated_at IS 'Time of the latest change';
COMMENT ON INDEX settings_pkey IS 'One row';

COMMENT ON TABLE retention_sweep IS 'How far the removal of old rows has got, in one row. The row is the sweep lock of the one worker that makes a step.';
COMMENT ON COLUMN retention_sweep.id IS 'Always true: one row';
COMMENT ON COLUMN retention_sweep.subject IS 'Table of the next step; null: the first one, from its start';
COMMENT ON COLUMN retention_sweep.after_at IS 'With after_id: row behind which the next step goes on';
COMMENT ON COLUMN retention_sweep.after_id IS 'Id of that row';
COMMENT ON COLUMN retention_sweep.next_step_at IS 'Earliest time of the next step';
COMMENT ON INDEX retention_sweep_pkey IS 'One row';

-- The columns of the partitions say the same as those of the table.
DO $$
DECLARE
    described record;
BEGIN
    FOR described IN
        SELECT part, attname, col_description(attrelid, attnum) AS comment
        FROM pg_attribute, unnest(ARRAY['deliveries_pending', 'deliveries_ended']) AS part
        WHERE attrelid = 'deliveries'::regclass AND attnum > 0 AND NOT attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L',
            described.part, described.attname, described.comment);
    END LOOP;
END $$;
