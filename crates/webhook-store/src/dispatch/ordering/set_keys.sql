-- Writes the ordering keys of deliveries that were just written without a time. A delivery whose event
-- lacks the ordering field has no order, and goes to the backlog as a first attempt (0).
--
-- $1 uuid[]  the deliveries
-- $2 uuid[]  their keys; null: none
WITH keyed AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS keyed (id, key)
)
UPDATE deliveries_pending SET
    ordering_key = keyed.key,
    next_attempt_at = CASE WHEN keyed.key IS NULL THEN now() END,
    backlog = CASE WHEN keyed.key IS NULL THEN 0 END
FROM keyed
WHERE deliveries_pending.id = ANY(ARRAY(SELECT id FROM keyed))
  AND deliveries_pending.id = keyed.id
