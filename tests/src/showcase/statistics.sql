-- 30 days of counts by the hour.
CREATE FUNCTION pg_temp.dice(seed text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || substr(md5(seed), 1, 7))::bit(28)::integer / 268435456.0
$$;
-- How durations spread over their 27 buckets, around a bucket.
CREATE FUNCTION pg_temp.spread(middle double precision) RETURNS double precision[] LANGUAGE sql AS $$
    SELECT array_agg(weight / total ORDER BY bucket)
    FROM (SELECT bucket, weight, sum(weight) OVER () AS total
          FROM (SELECT bucket, exp(-(((bucket - middle) / 2.5) ^ 2)) AS weight
                FROM generate_series(1, 27) AS bucket) AS weights) AS shares
$$;
CREATE TEMP TABLE profiles AS
SELECT id, name, 20 + 400 * pg_temp.dice(name) ^ 3 AS busy, pg_temp.dice('share' || name) ^ 20 AS share,
       pg_temp.spread(8 + 7 * pg_temp.dice('middle' || name)) AS spread,
       CASE WHEN health.webhook_id IS NULL THEN NULL ELSE coalesce(
           array_position(ARRAY['dns', 'connect', 'tls', 'timeout', 'reset', 'blocked_address'], failure_class),
           response_status / 100 + 4, 4) END AS failing,
       CASE status WHEN 'active' THEN now() ELSE now() - interval '70 hours' END AS until
FROM webhooks LEFT JOIN webhook_activity AS activity ON activity.webhook_id = id
    LEFT JOIN webhook_health AS health ON health.webhook_id = id;
INSERT INTO webhook_hours (webhook_id, hour, attempts, failed_attempts, succeeded, failed, failures, durations)
SELECT id, hour, attempts, failed, attempts - failed, failed / 12,
       CASE WHEN in_trouble THEN array_fill(0, ARRAY[failing - 1]) || failed
            ELSE ARRAY[0, 0, 0, failed - failed / 2, 0, 0, 0, 0, failed / 2] END,
       ARRAY(SELECT round(weight * attempts)::integer FROM unnest(spread) AS weight)
FROM (SELECT *, CASE WHEN in_trouble THEN attempts ELSE round(attempts * share)::integer END AS failed
      FROM (SELECT *, failing IS NOT NULL AND hour > now() - interval '70 hours' AS in_trouble,
                round(busy * (0.6 - 0.4 * cos(extract(hour FROM hour) * pi() / 12))
                    * CASE WHEN extract(isodow FROM hour) > 5 THEN 0.4 ELSE 1 END
                    * (0.7 + 0.6 * pg_temp.dice(name || extract(epoch FROM hour)))
                )::integer AS attempts
            FROM profiles, generate_series(date_trunc('hour', now()) - interval '719 hours',
                date_trunc('hour', now()), interval '1 hour') AS hour
            WHERE hour < until) AS counted) AS known
WHERE attempts > 0;
INSERT INTO total_hours
SELECT hour, '00000000-0000-0000-0000-000000000000', sum(attempts), sum(failed_attempts),
       sum(succeeded), sum(failed),
       ARRAY[sum(coalesce(failures[1], 0)), sum(coalesce(failures[2], 0)), sum(coalesce(failures[3], 0)),
             sum(coalesce(failures[4], 0)), sum(coalesce(failures[5], 0)), sum(coalesce(failures[6], 0)),
             sum(coalesce(failures[7], 0)), sum(coalesce(failures[8], 0)), sum(coalesce(failures[9], 0))],
       ARRAY(SELECT round(weight * sum(attempts)) FROM unnest(pg_temp.spread(11)) AS weight)
FROM webhook_hours GROUP BY hour;
-- Each webhook's counts, spread over the types that it is subscribed to.
INSERT INTO environment_hours
SELECT webhooks.environment::environment, hour, chosen.event_type::event_type,
       '00000000-0000-0000-0000-000000000000', round(sum(attempts / types)),
       round(sum(failed_attempts / types)), round(sum(succeeded / types)), round(sum(failed / types))
FROM webhook_hours
JOIN (SELECT *, count(*) OVER (PARTITION BY webhook_id)::double precision AS types
      FROM subscriptions) AS chosen USING (webhook_id)
JOIN webhooks ON webhooks.id = webhook_id
GROUP BY 1, 2, 3;
INSERT INTO webhook_days (webhook_id, since, attempts, failed_attempts, failure_rate, p95_ms)
SELECT webhook_id, date_trunc('hour', now()) - interval '23 hours', sum(attempts), sum(failed_attempts),
       sum(failed_attempts)::double precision / sum(attempts),
       40 + 900 * pg_temp.dice('p95' || webhook_id) ^ 2
FROM webhook_hours WHERE hour > now() - interval '24 hours' GROUP BY 1;
-- A dispatcher that lives as long as the pictures are taken.
INSERT INTO dispatchers (id, seen_at) VALUES (gen_random_uuid(), now() + interval '1 day')
