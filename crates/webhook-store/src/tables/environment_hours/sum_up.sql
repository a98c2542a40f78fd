-- Sums up an environment's counts from a time on, once by the hour and once by the event type, in a single scan:
-- a row has either an hour or an event type. Hours and types without attempts are left out.
--
-- $1 text         an environment
-- $2 timestamptz  the first hour
SELECT hour, event_type, sum(attempts)::bigint, sum(failed_attempts)::bigint, sum(succeeded)::bigint,
       sum(failed)::bigint
FROM environment_hours
WHERE environment = $1::environment AND hour >= $2
GROUP BY GROUPING SETS ((hour), (event_type))
ORDER BY hour
