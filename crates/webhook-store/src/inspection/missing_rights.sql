-- The rights on tables and sequences of the schema that the user of the session lacks.
-- Of the table of migrations only SELECT is needed: the user who migrates is the owner.
SELECT needed.privilege || ' on ' || tables.relname AS missing
FROM pg_class AS tables
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed (privilege)
WHERE tables.relnamespace = current_schema()::regnamespace
    AND tables.relkind IN ('r', 'p', 'v')
    AND (tables.relname <> '__diesel_schema_migrations' OR needed.privilege = 'SELECT')
    AND NOT has_table_privilege(tables.oid, needed.privilege)
UNION ALL
-- From pg_sequence: Postgres may ask for the privilege before the other conditions, and fails for a table.
SELECT 'USAGE on ' || named.relname
FROM pg_sequence AS sequences
JOIN pg_class AS named ON named.oid = sequences.seqrelid
WHERE named.relnamespace = current_schema()::regnamespace
    AND NOT has_sequence_privilege(sequences.seqrelid, 'USAGE')
ORDER BY missing
LIMIT 20
