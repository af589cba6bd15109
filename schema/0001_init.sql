-- 0001_init.sql - everything ipambridge keeps, in schema "ipambridge".
--
-- Never edited once released: a change is a new file with the next number.
-- Names of owners and hosts are lower case without the final dot; every byte that is not a letter,
-- digit, "-", "_", "*" or "/" reads as in master files.  Record sets read one "TYPE rdata" a line.

create schema ipambridge;
comment on schema ipambridge is
	'ipambridge: what DHCP, neighbour tables and people say about addresses, and what DNS should and does say';

create table ipambridge.migration (
	version int primary key,
	name text not null,
	sha256 text not null,
	applied_at timestamptz not null default now()
);
comment on table ipambridge.migration is 'The files of schema/ that were applied to this database';
comment on column ipambridge.migration.sha256 is 'Checksum of the file as it was applied';

-- ---- what the configuration names ----------------------------------------------------------

create table ipambridge.space (
	id int generated always as identity primary key,
	name text not null unique,
	policy_digest bigint,
	gone_at timestamptz
);
comment on table ipambridge.space is
	'Address spaces: the same private prefix may be used at two sites. "default" is the top level of the configuration';
comment on column ipambridge.space.policy_digest is
	'Digest of the configuration that its names were last planned with';
comment on column ipambridge.space.gone_at is
	'Since when the configuration no longer names it; NULL: it does. Its rows are kept';

create table ipambridge.zone (
	id int generated always as identity primary key,
	space_id int not null references ipambridge.space,
	name text collate "C" not null,
	view text not null default '',
	is_reverse boolean not null,
	known boolean not null default false,
	serial bigint not null default 0,
	pulled_at timestamptz,
	full_at timestamptz,
	last_error text,
	gone_at timestamptz,
	unique (space_id, view, name)
) with (fillfactor = 50);
comment on table ipambridge.zone is 'DNS zones the bridge keeps, and when it last looked at them';
comment on column ipambridge.zone.known is
	'Transferred whole at least once: an owner without a row in table owner does not exist there';
comment on column ipambridge.zone.serial is 'SOA serial of the last transfer';
comment on column ipambridge.zone.pulled_at is
	'When what is kept was last known to equal the server; NULL: never';
comment on column ipambridge.zone.full_at is 'Last full comparison, whatever the serial said';
comment on column ipambridge.zone.last_error is 'NULL: the last exchange was fine';
comment on column ipambridge.zone.gone_at is
	'Since when the configuration no longer names it; NULL: it does';

create table ipambridge.subnet (
	id int generated always as identity primary key,
	space_id int not null references ipambridge.space,
	prefix cidr not null,
	zone_id int references ipambridge.zone,
	reverse_zone_id int references ipambridge.zone,
	gone_at timestamptz,
	unique (space_id, prefix)
);
comment on table ipambridge.subnet is 'Subnets of the configuration';
comment on column ipambridge.subnet.zone_id is 'Zone that its hosts get their names in; NULL: none';
comment on column ipambridge.subnet.reverse_zone_id is
	'Longest configured reverse zone that covers it; NULL: no PTR records';
comment on column ipambridge.subnet.gone_at is
	'Since when the configuration no longer names it; NULL: it does';

create table ipambridge.source (
	id int generated always as identity primary key,
	space_id int not null references ipambridge.space,
	name text not null,
	type text not null,
	kind text not null,
	cursor text,
	last_ok timestamptz,
	last_try timestamptz,
	last_error text,
	live_rows bigint not null default 0,
	bad_rows bigint not null default 0,
	seen_all_at timestamptz,
	whole_wanted int not null default 0,
	whole_done int not null default 0,
	gone_at timestamptz,
	unique (space_id, name)
) with (fillfactor = 50);
comment on table ipambridge.source is
	'Where evidence comes from: the configured sources, "manual" (add-host) and "dns" (names read back)';
comment on column ipambridge.source.type is 'Adapter, as the configuration spells it';
comment on column ipambridge.source.kind is
	'What its evidence is: manual, edit, reservation, ipam, lease, dns or neighbour';
comment on column ipambridge.source.cursor is
	'Where the adapter goes on reading, in its own words; NULL: never read';
comment on column ipambridge.source.last_ok is 'Last successful read; NULL: never';
comment on column ipambridge.source.last_error is 'NULL: the last read was good';
comment on column ipambridge.source.live_rows is 'Observations alive after the last read';
comment on column ipambridge.source.bad_rows is 'Records refused in the last read';
comment on column ipambridge.source.seen_all_at is
	'Last complete read: it showed every observation of this source that is not marked absent. '
	'So a row was last seen at the later of this and its own last_seen; unchanged rows are not rewritten';
comment on column ipambridge.source.whole_wanted is
	'How often somebody asked for it to be read from the start, not from the cursor';
comment on column ipambridge.source.whole_done is
	'What whole_wanted was when the last read from the start began';
comment on column ipambridge.source.gone_at is
	'Since when the configuration no longer names it; NULL: it does';

-- ---- evidence and what follows from it -----------------------------------------------------
-- These tables have no foreign keys: checking each row would cost a third of a bulk write.  The
-- writing statements look their zone, source or space up once instead.

create table ipambridge.observation (
	source_id int not null,
	address inet not null,
	name_key bytea not null default '',
	kind text not null,
	name bytea,
	mac macaddr,
	client_id bytea,
	duid bytea,
	dhcid bytea,
	valid_until timestamptz not null default 'infinity',
	seen_at timestamptz,
	first_seen timestamptz,
	last_seen timestamptz,
	absent_since timestamptz,
	held boolean not null default false,
	ttl bigint,
	ptr boolean not null default false,
	raw bytea,
	primary key (source_id, address, name_key)
) with (fillfactor = 90, autovacuum_analyze_scale_factor = 0.05);
comment on table ipambridge.observation is
	'Evidence: what one source says about one address. The only way into this database';
comment on column ipambridge.observation.name_key is
	'The name again for manual records, of which an address may have several; empty otherwise';
comment on column ipambridge.observation.name is
	'Name exactly as received, any bytes; NULL: none. Read it with encode(name, ''escape'')';
comment on column ipambridge.observation.client_id is 'DHCPv4 client identifier (option 61)';
comment on column ipambridge.observation.duid is 'DHCPv6 client identifier';
comment on column ipambridge.observation.dhcid is
	'DHCID record that the source gives for the client at exactly this name; NULL: it gives none';
comment on column ipambridge.observation.valid_until is
	'When it ends by the clock; infinity: it does not';
comment on column ipambridge.observation.seen_at is
	'The time the source itself gives for it; NULL: it gives none';
comment on column ipambridge.observation.last_seen is
	'When a read last changed or confirmed this row; see source.seen_all_at';
comment on column ipambridge.observation.absent_since is
	'Complete reads do not show it since then; NULL: present';
comment on column ipambridge.observation.held is
	'The brake holds its end or its change: too many at once. "reconcile --force ZONE" lets them go';
comment on column ipambridge.observation.ttl is 'TTL a person asked for; NULL: the zone''s';
comment on column ipambridge.observation.ptr is 'Manual: this name is the PTR of the address';
comment on column ipambridge.observation.raw is 'The source''s own words, for "why"';

create index observation_ends on ipambridge.observation (source_id, valid_until)
	where valid_until < 'infinity';
create index observation_absent on ipambridge.observation (source_id, absent_since)
	where absent_since is not null;
create index observation_held on ipambridge.observation (source_id, address) where held;

create table ipambridge.host (
	space_id int not null,
	address inet not null,
	name text collate "C" not null default '',
	asked text collate "C" not null default '',
	ptr boolean not null default false,
	kind text not null,
	source_id int not null,
	mac macaddr,
	client_id bytea,
	duid bytea,
	dhcid bytea,
	since timestamptz,
	expires_at timestamptz not null default 'infinity',
	ttl bigint,
	why text,
	primary key (space_id, address, name)
) with (fillfactor = 90);
comment on table ipambridge.host is
	'What the evidence comes to: the names of each address. One row a name; one row without name '
	'when nobody gives one';
comment on column ipambridge.host.name is 'Assigned name; empty: none';
comment on column ipambridge.host.asked is
	'Name before a collision changed it; equal to name otherwise';
comment on column ipambridge.host.ptr is 'The PTR of the address points at this name';
comment on column ipambridge.host.kind is 'Kind of the evidence that named it, or that saw it';
comment on column ipambridge.host.dhcid is
	'DHCID record as the source gave it, for the client at the name asked; NULL: it gave none';
comment on column ipambridge.host.since is 'Since when the address has this name';
comment on column ipambridge.host.expires_at is 'infinity: does not end by the clock';
comment on column ipambridge.host.ttl is 'NULL: the zone''s';
comment on column ipambridge.host.why is 'Rule and reason';

create index host_name on ipambridge.host (space_id, name) where name <> '';
create index host_waiting on ipambridge.host (space_id, asked) where name = '' and asked <> '';
create index host_source on ipambridge.host (source_id) where name <> '';

create table ipambridge.owner (
	zone_id int not null,
	owner text collate "C" not null,
	state text not null,
	due_at timestamptz not null default '-infinity',
	want text not null default '',
	published text not null default '',
	offered text[],
	seen text,
	seen_asked boolean not null default false,
	guards boolean not null default false,
	kind text not null,
	source_id int,
	ttl bigint not null default 0,
	sent_ttl bigint not null default 0,
	offered_at timestamptz,
	removed_at timestamptz,
	reverts bigint not null default 0,
	attempts bigint not null default 0,
	settled_at timestamptz,
	why text,
	primary key (zone_id, owner),
	constraint owner_state check (state in ('in-step', 'due', 'agreed', 'conflict', 'refused',
		'frozen', 'waits'))
) with (fillfactor = 45, autovacuum_analyze_scale_factor = 0.05);
comment on table ipambridge.owner is
	'What the bridge believes about one owner name in one zone: wanted, published, on its way, seen';
comment on column ipambridge.owner.state is
	'in-step: nothing to do. due: a change waits to be sent. agreed: DNS says what is wanted, but the '
	'record is not ours. conflict: DNS says something else that is not ours, nothing is written. '
	'refused: the server refused it for good. frozen: somebody keeps undoing it. waits: '
	'somebody removed ours, a source has yet to confirm it';
comment on column ipambridge.owner.due_at is 'Not sent before; -infinity: at once';
comment on column ipambridge.owner.want is 'Records it should have; empty: none';
comment on column ipambridge.owner.published is
	'Records known to be ours, confirmed by the server; empty: none';
comment on column ipambridge.owner.offered is
	'Sets that were sent and whose answer is not known yet; an empty element is a removal';
comment on column ipambridge.owner.seen is
	'Records the server last showed, those of others too; NULL: the same as published';
comment on column ipambridge.owner.seen_asked is
	'The owner was queried although its zone was never transferred: seen is known';
comment on column ipambridge.owner.guards is
	'Seen holds NS, DNAME, CNAME, MX or SRV: names below or pointed at are not written';
comment on column ipambridge.owner.kind is 'Kind of the evidence behind want';
comment on column ipambridge.owner.source_id is 'Source of the evidence behind want; NULL: none';
comment on column ipambridge.owner.ttl is 'TTL wanted, in seconds';
comment on column ipambridge.owner.sent_ttl is 'TTL last sent; 0: not known';
comment on column ipambridge.owner.removed_at is 'When ours was seen gone from DNS; NULL: it was not';
comment on column ipambridge.owner.reverts is 'How often somebody undid what we wrote';
comment on column ipambridge.owner.attempts is 'Sendings in a row that failed or were not answered';
comment on column ipambridge.owner.offered_at is 'When the last of offered was sent';
comment on column ipambridge.owner.settled_at is 'When published was last proven by an answer';
comment on column ipambridge.owner.why is 'Cause of the state, or of want';

create index owner_due on ipambridge.owner (zone_id, due_at, owner) where state = 'due';
create index owner_not_in_step on ipambridge.owner (state) where state <> all ('{in-step,due}');
create index owner_guards on ipambridge.owner (zone_id) where guards;

create table ipambridge.brake (
	zone_id int not null,
	source_id int not null,
	window_at timestamptz,
	names bigint not null,
	used bigint not null,
	primary key (zone_id, source_id)
) with (fillfactor = 50);
comment on table ipambridge.brake is
	'How many names a source has ended or changed lately; over the limit the rest is held';
comment on column ipambridge.brake.zone_id is 'A zone, or minus the id of a subnet (explicit ends)';
comment on column ipambridge.brake.window_at is 'Start of the window';
comment on column ipambridge.brake.names is 'Names the source had there at the start';
comment on column ipambridge.brake.used is 'Ends and changes let through since';

-- ---- journal -------------------------------------------------------------------------------

create table ipambridge.journal (
	id bigint generated always as identity primary key,
	at timestamptz not null,
	space_id int,
	zone_id int,
	owner text collate "C",
	address inet,
	event text not null,
	before text,
	after text,
	rcode int,
	why text
);
comment on table ipambridge.journal is
	'What happened, line by line; only added to. "ipambridge journal" and "ipambridge why" read it';
comment on column ipambridge.journal.rcode is 'The server''s answer; NULL: there was none';
comment on column ipambridge.journal.before is 'Record set before, as in table owner';
comment on column ipambridge.journal.after is 'Record set after; NULL: does not apply, empty: none';

create index journal_owner on ipambridge.journal (owner, id) where owner is not null;
create index journal_address on ipambridge.journal (address, id) where address is not null;
create index journal_at on ipambridge.journal using brin (at) with (pages_per_range = 32);

create function ipambridge.journal_is_append_only() returns trigger
	language plpgsql set search_path = pg_catalog
as $$
begin
	if current_setting('ipambridge.trim', true) is distinct from 'on' then
		raise exception 'the journal is only added to'
			using errcode = 'insufficient_privilege',
			hint = 'old lines are removed by ipambridge.journal_trim(older_than, at_most)';
	end if;
	return null;
end
$$;
create trigger journal_is_append_only before update or delete or truncate on ipambridge.journal
	for each statement execute function ipambridge.journal_is_append_only();

create function ipambridge.journal_trim(older_than timestamptz, at_most int) returns bigint
	language plpgsql set search_path = pg_catalog
as $$
declare
	n bigint;
begin
	perform set_config('ipambridge.trim', 'on', true);
	delete from ipambridge.journal j where j.id = any (array(
		select o.id from ipambridge.journal o where o.at < older_than limit at_most));
	get diagnostics n = row_count;
	perform set_config('ipambridge.trim', 'off', true);
	return n;
end
$$;
comment on function ipambridge.journal_trim is
	'Removes at most so many journal lines older than a time; returns how many';
