select exists (select from pg_catalog.pg_namespace where nspname = 'ipambridge'),
	to_regclass('ipambridge.migration') is not null
