-- Writes the state of webhooks whose rows the transaction has locked.
--
-- $1 uuid[]         the webhooks
-- $2 timestamptz[]  failing_since
-- $3 integer[]      failures
-- $4 timestamptz[]  warned_at
-- $5 timestamptz[]  paused_at
-- $6 timestamptz[]  paused_until
-- $7 integer[]      pauses
-- $8 timestamptz[]  held_until
-- $9 integer[]      forbidden
UPDATE webhook_health SET
    failing_since = state.since, failures = state.failures, warned_at = state.warned_at,
    paused_at = state.paused_at, paused_until = state.paused_until, pauses = state.pauses,
    held_until = state.held_until, forbidden = state.forbidden
FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::timestamptz[], $5::timestamptz[],
        $6::timestamptz[], $7::integer[], $8::timestamptz[], $9::integer[])
    AS state (webhook_id, since, failures, warned_at, paused_at, paused_until, pauses, held_until, forbidden)
WHERE webhook_health.webhook_id = state.webhook_id
