merge into ipambridge.brake b
using (select $1::int as zone_id, $2::int as source_id, $3::timestamptz as window_at,
	$4::bigint as names, $5::bigint as used) n
on b.zone_id = n.zone_id and b.source_id = n.source_id
when matched and (b.window_at, b.names, b.used) is distinct from (n.window_at, n.names, n.used) then
	update set window_at = n.window_at, names = n.names, used = n.used
when not matched then
	insert (zone_id, source_id, window_at, names, used)
	values (n.zone_id, n.source_id, n.window_at, n.names, n.used)
