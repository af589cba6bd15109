-- The last thousand are kept.  One that a crash forgets is no loss: its disk is not waited for.
with trimmed as (
	delete from ipambridge.pass
	where id <= (select id from ipambridge.pass order by id desc offset 999 limit 1)
)
insert into ipambridge.pass (verb, began_at, ended_at, exit, changed, refused, pending, held,
	conflicts, pulled, error)
values ($1::text, $2::timestamptz, $3::timestamptz, $4::int, $5::bigint, $6::bigint, $7::bigint,
	$8::bigint, $9::bigint, $10::bigint, $11::text)
returning set_config('synchronous_commit', 'off', true)
