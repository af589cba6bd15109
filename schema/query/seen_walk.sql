-- The setting is read once, in a sub-select, and not for each row.
copy (
	select owner, coalesce(seen, published)
	from ipambridge.owner
	where zone_id = (select current_setting('ipambridge.zone')::int)
) to stdout (format binary)
