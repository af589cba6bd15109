select c.id, (select count(*) from ipambridge.observation o where o.source_id = c.id), c.bad_rows,
	c.last_ok, c.last_try, c.last_error
from ipambridge.source c
where c.gone_at is null
