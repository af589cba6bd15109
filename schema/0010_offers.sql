-- 0010_offers.sql - when each offered set was sent, not only the last of an owner.

update ipambridge.owner
set offered = (
	select array_agg(extract(epoch from coalesce(offered_at, now()))::bigint || ' ' || o.records
		order by o.no)
	from unnest(offered) with ordinality o (records, no))
where offered is not null;

alter table ipambridge.owner drop column offered_at;

comment on column ipambridge.owner.offered is
	'Sets that were sent and whose answer is not known yet, each with the Unix time of when it was '
	'sent before it; no records: a removal';
