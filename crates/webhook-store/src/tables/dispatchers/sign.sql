-- Writes a sign of life of a dispatcher, and removes those without one for an hour: processes that have
-- ended. The last one stays until another dispatcher runs, so that pages can say since when none does.
--
-- $1 uuid         the dispatcher
-- $2 timestamptz  since when it cannot record results, or null
WITH gone AS (
    DELETE FROM dispatchers WHERE seen_at < now() - interval '1 hour' AND id <> $1
)
INSERT INTO dispatchers (id, not_recording_since) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET
    seen_at = excluded.seen_at, not_recording_since = excluded.not_recording_since
