select distinct h.address
from ipambridge.host h
where h.space_id = $1::int and h.asked = any ($2::text[]) and h.name = '' and h.asked <> ''
order by h.address
