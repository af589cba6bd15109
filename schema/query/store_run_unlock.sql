select pg_advisory_unlock($1::int, 0)
