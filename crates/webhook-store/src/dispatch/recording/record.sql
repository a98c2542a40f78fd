-- Records attempts and changes their deliveries. Returns the webhooks of the attempts with a row in
-- `webhook_health`: only those need a further statement.
--
-- Every attempt is stored. Its delivery changes only if this attempt number was not recorded before. An
-- ordered delivery changes only under this worker's lease: a worker that leased the delivery later may
-- still send it, and the next delivery of the key must not overtake.
--
-- $1  uuid[]        deliveries of the attempts
-- $2  integer[]     numbers of the attempts, from 1
-- $3  timestamptz[] their starts
-- $4  integer[]     their durations, in milliseconds
-- $5  integer[]     time of the name look-up, or null
-- $6  integer[]     time of connecting, or null
-- $7  integer[]     time to the head of the response, or null
-- $8  integer[]     HTTP status, or null
-- $9  text[]        failure class, or null
-- $10 text[]        failure in words, or null
-- $11 uuid[]        row of `exchanges` that holds the transcript
-- $12 smallint[]    place of the transcript in that row, from 0
-- $13 uuid[]        rows of `exchanges`: ids
-- $14 text[]        rows of `exchanges`: transcripts as JSON
-- $15 smallint[]    last_answer of each delivery
-- $16 text[]        status of each delivery after the attempt
-- $17 timestamptz[] time of the next attempt, or null
-- $18 timestamptz[] end of the lease that the attempt was made under
-- $19 boolean[]     whether the attempt costs none (429)
-- $20 uuid[]        deliveries that end
-- $21 uuid[]        deliveries that go on
-- $22 uuid[]        status events: ids
-- $23 text[]        status events: routing keys
-- $24 text[]        status events: bodies
-- $25 uuid[]        status events: the delivery whose end each tells of
-- $26 uuid[]        webhooks, for their latest attempts
-- $27 uuid[]        latest attempt: delivery
-- $28 text[]        latest attempt: status of the delivery after it
-- $29 timestamptz[] latest attempt: start
-- $30 integer[]     latest attempt: HTTP status, or null
-- $31 text[]        latest attempt: failure class, or null
-- $32 uuid[]        counts: webhook; null: all webhooks
-- $33 timestamptz[] counts: hour
-- $34 integer[]     counts: attempts
-- $35 integer[]     counts: failed attempts
-- $36 integer[]     counts: deliveries that succeeded
-- $37 integer[]     counts: deliveries that failed
-- $38 text[]        counts: failed attempts by kind, as array literals
-- $39 text[]        counts: attempts by duration, as array literals
-- $40 uuid          this worker
-- $41 text[]        counts by environment: environment
-- $42 timestamptz[] counts by environment: hour
-- $43 text[]        counts by environment: event type
-- $44 integer[]     counts by environment: attempts
-- $45 integer[]     counts by environment: failed attempts
-- $46 integer[]     counts by environment: deliveries that succeeded
-- $47 integer[]     counts by environment: deliveries that failed
--
-- Attempts of test events are left out of $26 to $47: they count nowhere.
WITH inserted_attempts AS (
    -- The attempts. An attempt that was recorded by a call whose reply was lost is stored already.
    INSERT INTO attempts (delivery_id, number, started_at, duration_ms, dns_ms, connect_ms,
        first_byte_ms, response_status, failure_class, failure_detail, exchange_id, exchange_place)
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::integer[],
        $5::integer[], $6::integer[], $7::integer[], $8::integer[], $9::text[], $10::text[],
        $11::uuid[], $12::smallint[])
    ON CONFLICT DO NOTHING
), inserted_transcripts AS (
    -- The transcripts of the attempts, several in a row.
    INSERT INTO exchanges (id, said)
    SELECT * FROM unnest($13::uuid[], $14::text[])
), result AS (
    SELECT * FROM unnest($1::uuid[], $2::integer[], $15::smallint[], $16::text[],
        $17::timestamptz[], $18::timestamptz[], $19::boolean[])
        AS result (delivery_id, number, last_answer, next_status, next_attempt_at, lease_until, put_off)
), ended AS (
    -- Ended deliveries leave `deliveries_pending`. No status is updated in place: a statement that waits
    -- for a row which an update moves to another partition would fail.
    DELETE FROM deliveries_pending AS delivery USING result
    WHERE delivery.id = ANY($20::uuid[])
      AND delivery.id = result.delivery_id AND delivery.attempts = result.number - 1
      AND (delivery.ordering_key IS NULL
           OR (delivery.next_attempt_at = result.lease_until AND backlog IS NULL))
    RETURNING delivery.*, result.number, result.last_answer AS answer, next_status
), inserted_ended AS (
    -- An event that is published again after retention removed the event may still have its first
    -- delivery in `deliveries_ended`. The second delivery then leaves no row.
    INSERT INTO deliveries_ended (id, event_id, webhook_id, event_type, environment, test,
        schedule_from, ordering_key, ordering_sequence, created_at, ended_at,
        status, attempts, last_answer)
    SELECT id, event_id, webhook_id, event_type, environment, test,
        schedule_from, ordering_key, ordering_sequence, created_at, now(),
        next_status::delivery_status, number, answer
    FROM ended
    ON CONFLICT (event_id, webhook_id) DO NOTHING
), waiting AS (
    -- Deliveries that go on wait for their next attempt.
    UPDATE deliveries_pending AS delivery SET
        attempts = result.number,
        last_answer = result.last_answer,
        next_attempt_at = result.next_attempt_at,
        schedule_from = schedule_from + put_off::integer,
        throttled = CASE WHEN put_off THEN throttled + 1 ELSE 0 END,
        backlog = NULL
    FROM result
    WHERE delivery.id = ANY($21::uuid[])
      AND delivery.id = result.delivery_id AND delivery.attempts = result.number - 1
      AND (delivery.ordering_key IS NULL
           OR (delivery.next_attempt_at = result.lease_until AND backlog IS NULL))
), inserted_status_events AS (
    -- Status events of deliveries that ended just now.
    INSERT INTO status_events (id, routing_key, body)
    SELECT told.id, routing_key, body
    FROM unnest($22::uuid[], $23::text[], $24::text[], $25::uuid[])
        AS told (id, routing_key, body, delivery_id)
    JOIN ended ON ended.id = delivery_id
), latest AS (
    -- The latest attempt of each webhook. All statistics are written in the order of webhooks, so that
    -- two workers wait for each other and never deadlock.
    INSERT INTO webhook_activity AS known (webhook_id, delivery_id, delivery_status,
        attempted_at, response_status, failure_class)
    SELECT * FROM unnest($26::uuid[], $27::uuid[], $28::text[], $29::timestamptz[],
        $30::integer[], $31::text[])
        AS latest (webhook_id)
    ORDER BY webhook_id
    ON CONFLICT (webhook_id) DO UPDATE SET
        delivery_id = excluded.delivery_id, delivery_status = excluded.delivery_status,
        attempted_at = excluded.attempted_at, response_status = excluded.response_status,
        failure_class = excluded.failure_class, recorded_at = excluded.recorded_at
    WHERE known.attempted_at <= excluded.attempted_at
), hours AS (
    SELECT * FROM unnest($32::uuid[], $33::timestamptz[], $34::integer[], $35::integer[],
        $36::integer[], $37::integer[], $38::text[], $39::text[])
        AS hours (webhook_id, hour, attempts, failed_attempts, succeeded, failed, failures, durations)
), hour_counts AS (
    -- Counts per webhook. Arrays are added here and not by a function, which Postgres would plan anew
    -- at each call.
    INSERT INTO webhook_hours AS known (webhook_id, hour, attempts, failed_attempts,
        succeeded, failed, failures, durations)
    SELECT webhook_id, hour, attempts, failed_attempts, succeeded, failed,
        failures::integer[], durations::integer[]
    FROM hours WHERE webhook_id IS NOT NULL ORDER BY webhook_id, hour
    ON CONFLICT (webhook_id, hour) DO UPDATE SET
        attempts = known.attempts + excluded.attempts,
        failed_attempts = known.failed_attempts + excluded.failed_attempts,
        succeeded = known.succeeded + excluded.succeeded,
        failed = known.failed + excluded.failed,
        failures = ARRAY(
            SELECT coalesce(one, 0) + coalesce(other, 0)
            FROM unnest(known.failures, excluded.failures)
                WITH ORDINALITY AS counts (one, other, place) ORDER BY place),
        durations = ARRAY(
            SELECT coalesce(one, 0) + coalesce(other, 0)
            FROM unnest(known.durations, excluded.durations)
                WITH ORDINALITY AS counts (one, other, place) ORDER BY place)
), total_counts AS (
    -- Counts of all webhooks, in a row of this worker's own, so that no worker waits for another.
    INSERT INTO total_hours AS known (hour, worker_id, attempts, failed_attempts,
        succeeded, failed, failures, durations)
    SELECT hour, $40::uuid, attempts, failed_attempts, succeeded, failed,
        failures::integer[], durations::integer[]
    FROM hours WHERE webhook_id IS NULL
    ON CONFLICT (hour, worker_id) DO UPDATE SET
        attempts = known.attempts + excluded.attempts,
        failed_attempts = known.failed_attempts + excluded.failed_attempts,
        succeeded = known.succeeded + excluded.succeeded,
        failed = known.failed + excluded.failed,
        failures = ARRAY(
            SELECT coalesce(one, 0) + coalesce(other, 0)
            FROM unnest(known.failures, excluded.failures)
                WITH ORDINALITY AS counts (one, other, place) ORDER BY place),
        durations = ARRAY(
            SELECT coalesce(one, 0) + coalesce(other, 0)
            FROM unnest(known.durations, excluded.durations)
                WITH ORDINALITY AS counts (one, other, place) ORDER BY place)
), spread AS (
    -- Counts of environments and event types, also in rows of this worker's own.
    INSERT INTO environment_hours AS known (environment, hour, event_type, worker_id,
        attempts, failed_attempts, succeeded, failed)
    SELECT environment::environment, hour, event_type::event_type, $40::uuid,
        attempts, failed_attempts, succeeded, failed
    FROM unnest($41::text[], $42::timestamptz[], $43::text[], $44::integer[], $45::integer[],
        $46::integer[], $47::integer[])
        AS spread (environment, hour, event_type, attempts, failed_attempts, succeeded, failed)
    ON CONFLICT (environment, hour, event_type, worker_id) DO UPDATE SET
        attempts = known.attempts + excluded.attempts,
        failed_attempts = known.failed_attempts + excluded.failed_attempts,
        succeeded = known.succeeded + excluded.succeeded,
        failed = known.failed + excluded.failed
)
SELECT webhook_id FROM webhook_health
WHERE webhook_id = ANY(ARRAY(SELECT webhook_id FROM hours))
