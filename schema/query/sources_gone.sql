select s.id, s.space_id, s.name, s.gone_at
from ipambridge.source s
where s.gone_at is not null
	and exists (select from ipambridge.observation o where o.source_id = s.id)
order by s.id
