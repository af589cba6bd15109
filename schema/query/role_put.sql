-- A number of a process may be given again: then the row begins anew.
with dead as (
	delete from ipambridge.role_state where alive_at < now() - interval '1 day'
		and (host, pid) <> ($1::text, $2::int)
)
insert into ipambridge.role_state as r (host, pid, role, of, state, status)
values ($1::text, $2::int, $3::text, $4::text, $5::text, $6::text)
on conflict (host, pid) do update set
	started_at = case when (r.role, r.of) = (excluded.role, excluded.of) then r.started_at
		else now() end,
	role = excluded.role, of = excluded.of, state = excluded.state, status = excluded.status,
	alive_at = now()
