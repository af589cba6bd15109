-- 0009_restored.sql - zones that were restored and not read since.

alter table ipambridge.zone add column restored boolean not null default false;
comment on column ipambridge.zone.restored is
	'Its serial was seen to have gone back, and it was not read whole since';
