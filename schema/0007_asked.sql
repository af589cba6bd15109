-- 0007_asked.sql - zones that their server does not give.

alter table ipambridge.zone add column asked boolean not null default false;
comment on column ipambridge.zone.known is
	'Transferred whole: an owner without a row in table owner does not exist there';
comment on column ipambridge.zone.asked is
	'The server does not give the zone: it is asked about each owner that has a row';
comment on column ipambridge.owner.seen_asked is
	'The owner was queried, its zone is not known: seen is';
