select distinct h.address
from ipambridge.host h
where h.space_id = $1::int and ($2::inet is null or h.address > $2::inet)
order by h.address
limit $3::bigint
