-- Counts the pending deliveries of an environment, up to a limit. The index of the lists begins with the last
-- answer, so this hops from answer to answer: other environments cost nothing, however much waits there.
--
-- $1 text    the environment
-- $2 bigint  the limit
WITH RECURSIVE answers AS (
    (SELECT last_answer FROM deliveries_pending WHERE status = 'pending'
     ORDER BY last_answer LIMIT 1)
    UNION ALL
    SELECT (SELECT next.last_answer FROM deliveries_pending AS next
            WHERE next.status = 'pending' AND next.last_answer > answers.last_answer
            ORDER BY next.last_answer LIMIT 1)
    FROM answers WHERE answers.last_answer IS NOT NULL
)
SELECT count(*) FROM (
    SELECT FROM answers CROSS JOIN LATERAL (
        SELECT FROM deliveries_pending AS delivery
        WHERE delivery.status = 'pending' AND delivery.last_answer = answers.last_answer
          AND delivery.environment = $1::environment
        LIMIT $2
    ) AS found
    LIMIT $2
) AS counted
