select ipambridge.journal_trim(now() - $1::bigint * interval '1 second', 50000)
