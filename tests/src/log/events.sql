-- {events} events over 30 days. Types, environments and endings go round in circles whose lengths have
-- no common divisor, so that each type comes in each environment and ends in each way.
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
SELECT id, event_type, environment, at, at, '{}', matched FROM happened;
