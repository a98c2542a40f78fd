//! A log like that of a platform in use: 30 days of events and deliveries, written by Postgres.

use crate::World;

/// Of 11 events one is owed to nobody, each of the others to so many webhooks.
const OWED: usize = 5;

/// 1,000 webhooks that were made before all else.
const WEBHOOKS: &str = "
    INSERT INTO webhooks (id, name, url, environment, status, event_types, sealed_secret)
    SELECT md5('webhook ' || n)::uuid, 'Receiver ' || n, 'https://r' || n || '.example.com/in',
           (ARRAY['production', 'staging', 'development'])[1 + n % 3], 'active', ARRAY['*'], ''
    FROM generate_series(0, 999) AS n;
    SET CONSTRAINTS ALL IMMEDIATE;
    UPDATE webhook_history SET valid_until = now() - interval '40 days' WHERE version = 0;
    UPDATE webhook_history SET valid_from = now() - interval '40 days' WHERE version > 0;";

/// What happens goes round in circles whose lengths have no divisor in common, so that each type
/// comes in each environment, and ends in each way there is.
const EVENTS: &str = "
    CREATE FUNCTION pg_temp.id_at(at timestamptz, n bigint) RETURNS uuid LANGUAGE sql AS $$
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
            || '70008' || lpad(to_hex(n), 15, '0'))::uuid
    $$;
    CREATE TEMP TABLE happened AS
    SELECT n, at, pg_temp.id_at(at, n) AS id, n % 11 > 0 AS matched,
           (enum_range(NULL::environment))[1 + n % 3] AS environment,
           (enum_range(NULL::event_type))[1 + n / 3 % 21] AS event_type
    FROM (SELECT n, date_trunc('milliseconds', now() - interval '30 days'
              + n * interval '30 days' / {events}) AS at
          FROM generate_series(1, {events}) AS n) AS times;
    INSERT INTO events (id, event_type, environment, occurred_at, received_at, body, matched)
    SELECT id, event_type, environment, at, at, '{}', matched FROM happened;";

/// 97 % succeed, 2 % fail, the rest is cancelled or pending.
const DELIVERIES: &str = "
    INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, attempts,
        last_answer, next_attempt_at, created_at, ended_at)
    SELECT pg_temp.id_at(at, n), event_id, webhook_id, event_type, environment,
           status::delivery_status,
           (answer > 0)::integer, answer,
           CASE WHEN status = 'pending' THEN now() + interval '1 day' END, at,
           CASE WHEN status <> 'pending' THEN at + interval '1 s' END
    FROM (SELECT {owed} * n::bigint + nth AS n, at, id AS event_id, event_type, environment,
              md5('webhook ' || (3 * ((n + 67 * nth) % 333) + n % 3))::uuid AS webhook_id
          FROM happened, generate_series(0, {owed} - 1) AS nth WHERE matched) AS owed
    JOIN (VALUES (0, 969, 'succeeded', '{200, 201, 204}'::integer[]),
                 (970, 989, 'failed', '{1, 2, 3, 4, 5, 6, 404, 500, 503, 504}'),
                 (990, 994, 'cancelled', '{0}'),
                 (995, 999, 'pending', '{0, 4, 500}')) AS ends (first, last, status, answers)
      ON 7919 * n % 1000 BETWEEN first AND last
    CROSS JOIN LATERAL (SELECT answers[1 + n / 11 % cardinality(answers)]) AS got (answer);";

/// An attempt for each that was tried; what was said on the wire is kept for a week.
const ATTEMPTS: &str = "
    INSERT INTO attempts (delivery_id, number, started_at, duration_ms, response_status,
        failure_class, exchange_id, exchange_place)
    SELECT id, 1, created_at, 12, CASE WHEN last_answer >= 100 THEN last_answer END,
           CASE WHEN last_answer < 100 THEN 'timeout' WHEN last_answer >= 300 THEN 'status' END,
           CASE WHEN created_at > now() - interval '7 days'
                THEN pg_temp.id_at(date_trunc('minute', created_at), 0) END, 0
    FROM deliveries WHERE attempts = 1;
    INSERT INTO exchanges (id, recorded_at, said)
    SELECT pg_temp.id_at(minute, 0), minute,
        '[{\"url\":\"https://r.example.com/in\",\"sent\":[],\"got\":[],\"body\":\"ok\",\"truncated\":false}]'
    FROM (SELECT DISTINCT date_trunc('minute', started_at) AS minute FROM attempts
          WHERE exchange_id IS NOT NULL) AS minutes";

/// Fills a world's log with so many deliveries, the last of which are of this moment.
pub async fn fill(world: &World, deliveries: usize) {
    let events = (deliveries / OWED * 11 / 10).to_string();
    let rows = [WEBHOOKS, EVENTS, DELIVERIES, ATTEMPTS].concat();
    let rows = rows.replace("{events}", &events);
    let rows = rows.replace("{owed}", &OWED.to_string());
    world.execute(&rows).await;
    world.execute("VACUUM ANALYZE").await;
}
