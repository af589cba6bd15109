-- What fails now, of what the configuration names; $1: its servers.  Sources and zones that were
-- never tried are no failure: they are new.
select 'source', s.name || '/' || c.name, c.last_error
from ipambridge.source c join ipambridge.space s on s.id = c.space_id
where c.gone_at is null and c.last_error is not null
union all
select 'zone', s.name || '/' || z.name, z.last_error
from ipambridge.zone z join ipambridge.space s on s.id = z.space_id
where z.gone_at is null and z.last_error is not null
union all
select 'server', v.name, v.state || coalesce(': ' || v.last_error, '')
from ipambridge.server_state v
where v.state <> 'ok' and v.name = any ($1)
union all
select 'role', r.role || case when r.of = '' then '' else ':' || r.of end, coalesce(r.status, '')
from ipambridge.role_state r
where r.state = 'failing' and r.alive_at > now() - interval '1 minute'
order by 1, 2
