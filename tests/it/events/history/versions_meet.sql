-- Whether each version ends where the next one begins, and the last one began at the commit.
SELECT bool_and(valid_until = next AND valid_from < valid_until)
   AND (SELECT at FROM last) <= max(valid_from)
FROM (SELECT *, lead(valid_from, 1, 'infinity') OVER (ORDER BY valid_from) AS next
      FROM webhook_history) AS history
