-- 0006_zone_serials.sql - what changes are asked for since, and what a restored copy is known by.

alter table ipambridge.zone
	add column read_at timestamptz,
	add column sent_serial bigint;
comment on column ipambridge.zone.serial is
	'SOA serial of the last transfer, whole or of what had changed';
comment on column ipambridge.zone.read_at is 'When that transfer began; NULL: there was none';
comment on column ipambridge.zone.sent_serial is
	'SOA serial that the server showed after the last changes sent to it; NULL: not known. '
	'A server that shows an older one has lost what was written';

update ipambridge.zone set read_at = full_at;
