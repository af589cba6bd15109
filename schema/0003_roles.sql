-- 0003_roles.sql - two roles without login: who may look, and who may work.
--
-- Roles belong to the whole cluster, so they may be there already.  A user that may not make
-- roles leaves them out: everything works without them, as that user.

create function ipambridge.grant_roles() returns void
	language plpgsql set search_path = pg_catalog
as $$
begin
	grant usage on schema ipambridge to ipambridge_reader, ipambridge_writer;
	grant select on all tables in schema ipambridge to ipambridge_reader, ipambridge_writer;
	grant insert, update, delete on all tables in schema ipambridge to ipambridge_writer;
	revoke insert, update, delete on ipambridge.migration from ipambridge_writer;
	grant execute on all functions in schema ipambridge to ipambridge_writer;
	alter default privileges in schema ipambridge
		grant select on tables to ipambridge_reader, ipambridge_writer;
	alter default privileges in schema ipambridge
		grant insert, update, delete on tables to ipambridge_writer;
end
$$;
comment on function ipambridge.grant_roles is
	'Gives ipambridge_reader and ipambridge_writer their rights; for the owner of the schema';
revoke execute on function ipambridge.grant_roles from public;

do $$
declare
	r text;
begin
	foreach r in array '{ipambridge_reader,ipambridge_writer}'::text[] loop
		begin
			if not exists (select from pg_catalog.pg_roles where rolname = r) then
				execute format('create role %I nologin', r);
			end if;
		exception when duplicate_object or unique_violation then
			null;   -- another database of the cluster came first
		end;
		if not pg_catalog.pg_has_role(current_user, r, 'member') then
			execute format('grant %I to current_user', r);
		end if;
	end loop;
	perform ipambridge.grant_roles();
exception when insufficient_privilege then
	raise warning 'roles ipambridge_reader and ipambridge_writer are left out (%): everything works without them',
		sqlerrm
		using hint = 'as a superuser: create role ipambridge_reader; create role ipambridge_writer; '
			'grant both to the bridge''s user; select ipambridge.grant_roles()';
end
$$;
