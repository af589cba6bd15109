-- 0005_identity.sql - which database this is, and which line of its journal was the last.
--
-- The mark in the state directory names both; one that lacks the line has lost something.

create table ipambridge.identity (
	one boolean primary key default true check (one),
	id uuid not null default gen_random_uuid()
);
comment on table ipambridge.identity is 'One row: what a copy of this database shares with it, and no other';
insert into ipambridge.identity default values;

do $$
begin
	revoke insert, update, delete on ipambridge.identity from ipambridge_writer;
exception when undefined_object then
	null;   -- the roles are left out
end
$$;

create or replace function ipambridge.journal_trim(older_than timestamptz, at_most int) returns bigint
	language plpgsql set search_path = pg_catalog
as $$
declare
	n bigint;
begin
	perform set_config('ipambridge.trim', 'on', true);
	delete from ipambridge.journal j where j.id = any (array(
		select o.id from ipambridge.journal o
		where o.at < older_than and o.id < (select max(m.id) from ipambridge.journal m)
		limit at_most));
	get diagnostics n = row_count;
	perform set_config('ipambridge.trim', 'off', true);
	return n;
end
$$;
comment on function ipambridge.journal_trim is
	'Removes at most so many journal lines older than a time, never the last; returns how many';
