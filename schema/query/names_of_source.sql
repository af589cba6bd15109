-- Names of a source at or below a zone.
select count(*)
from ipambridge.host
where source_id = $1::int and name <> ''
	and (name = $2::text or right(name, length($2::text) + 1) = '.' || $2::text)
