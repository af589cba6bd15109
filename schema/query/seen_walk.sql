copy (
	select owner, coalesce(seen, published)
	from ipambridge.owner
	where zone_id = current_setting('ipambridge.zone')::int
) to stdout (format binary)
