-- At most hourly: source.seen_all_at stands for the last_seen of all its present rows.
update ipambridge.source set seen_all_at = $2::timestamptz
where id = $1::int
	and (seen_all_at is null or seen_all_at <= $2::timestamptz - interval '1 hour')
