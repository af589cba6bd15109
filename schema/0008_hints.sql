-- 0008_hints.sql - when name servers last said themselves that a zone changed.

alter table ipambridge.zone add column hinted_at timestamptz;
comment on column ipambridge.zone.hinted_at is
	'Last look at the zone because its server sent NOTIFY; NULL: there was none';
