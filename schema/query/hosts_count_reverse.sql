select count(*)
from ipambridge.host
where source_id = $1::int and name <> '' and ptr and address <<= $2::text::cidr
