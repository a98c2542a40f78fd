-- Takes the lock of summing up until the transaction ends. False: another worker has it. The number is the
-- lock's name among advisory locks; nobody else uses those.
SELECT pg_try_advisory_xact_lock(1600100)
