-- Removes the rows of addresses $2 whose (address, name) is not among $3, $4.
delete from ipambridge.host h
where h.space_id = $1::int and h.address = any ($2::inet[])
	and (h.address, h.name) not in (
		select k.address, k.name from unnest($3::inet[], $4::text[]) k (address, name))
