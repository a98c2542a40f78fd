-- Leases checks of URLs that no dispatcher has carried out yet.
--
-- $1 timestamptz  the end of the lease
-- $2 bigint       the most checks
UPDATE url_checks SET take_at = $1
WHERE id = ANY(ARRAY(
    SELECT id FROM url_checks
    WHERE done_at IS NULL AND take_at <= now()
      -- The API has stopped waiting for the result of an older check.
      AND requested_at > now() - interval '1 minute'
    ORDER BY take_at LIMIT $2
    FOR UPDATE SKIP LOCKED
))
RETURNING id, url
