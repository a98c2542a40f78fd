-- Writes a sign of life of a dispatcher, and removes those without one for an hour: processes that have
-- ended. The last one stays until another dispatcher runs, so that pages can say since when none does. Returns
-- whether the dispatcher has the least id of those that live, and so counts for the metrics of all.
--
-- $1 uuid         the dispatcher
-- $2 timestamptz  since when it cannot record results, or null
-- $3 double precision  the time without a sign of life after which a dispatcher counts as gone, in seconds
WITH gone AS (
    DELETE FROM dispatchers WHERE seen_at < now() - interval '1 hour' AND id <> $1
)
INSERT INTO dispatchers (id, not_recording_since) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET
    seen_at = excluded.seen_at, not_recording_since = excluded.not_recording_since
-- The others as they were when the statement began. A new dispatcher has a later id only by chance: for a
-- moment two of them may count, or none.
RETURNING NOT EXISTS (
    SELECT FROM dispatchers AS other
    WHERE other.id < $1 AND other.seen_at > now() - $3 * interval '1 second')
