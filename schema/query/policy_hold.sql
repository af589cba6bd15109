-- Shared, until the session ends: everybody with this configuration may hold it at once.
select pg_advisory_lock_shared($1::int, $2::int)
