insert into ipambridge.journal (at, space_id, zone_id, owner, address, event, before, after, rcode, why)
select n.at, n.space_id, n.zone_id, n.owner, n.address, n.event, n.before, n.after, n.rcode, n.why
from unnest($1::timestamptz[], $2::int[], $3::int[], $4::text[], $5::inet[], $6::text[], $7::text[],
	$8::text[], $9::int[], $10::text[]) with ordinality
	n (at, space_id, zone_id, owner, address, event, before, after, rcode, why, no)
order by n.no
