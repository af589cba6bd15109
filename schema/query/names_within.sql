-- Addresses are kept without prefix length: the bounds are written so too, for the index.
select count(*)
from ipambridge.host
where space_id = $1::int and name <> ''
	and address >= set_masklen(network($2::text::cidr)::inet,
		case family($2::text::cidr) when 4 then 32 else 128 end)
	and address <= set_masklen(broadcast($2::text::cidr),
		case family($2::text::cidr) when 4 then 32 else 128 end)
