-- 0002_live.sql - what is going on now: passes, processes, name servers, counters.

create table ipambridge.pass (
	id bigint generated always as identity primary key,
	verb text not null,
	began_at timestamptz not null,
	ended_at timestamptz not null,
	exit int not null,
	changed bigint not null default 0,
	refused bigint not null default 0,
	pending bigint not null default 0,
	held bigint not null default 0,
	conflicts bigint not null default 0,
	pulled bigint not null default 0,
	error text
);
comment on table ipambridge.pass is
	'The last passes that ended, dry runs left out. One that was killed leaves no row';
comment on column ipambridge.pass.verb is 'Command or role that made the pass';
comment on column ipambridge.pass.exit is 'Its exit code';
comment on column ipambridge.pass.changed is 'Record sets changed in DNS, proven';
comment on column ipambridge.pass.held is 'Rows the brake held when it ended';
comment on column ipambridge.pass.conflicts is 'Owners in conflict when it ended';
comment on column ipambridge.pass.error is 'Why it could not go on; NULL: it came to its end';

create table ipambridge.server_state (
	name text primary key,
	state text not null,
	since timestamptz not null default now(),
	next_try_at timestamptz,
	last_error text,
	queue bigint not null default 0,
	oldest_due_at timestamptz,
	in_flight int not null default 0,
	messages bigint not null default 0,
	message_ms bigint not null default 0,
	updated_at timestamptz not null default now(),
	constraint server_state_state check (state in ('ok', 'unreachable', 'parked'))
) with (fillfactor = 50);
comment on table ipambridge.server_state is
	'Name servers as the process that sends to them sees them; rows of servers that the '
	'configuration no longer names stay until somebody removes them';
comment on column ipambridge.server_state.state is
	'ok: it answers. unreachable: it does not. parked: it refuses the bridge';
comment on column ipambridge.server_state.since is 'When the state became this';
comment on column ipambridge.server_state.next_try_at is 'Nothing is sent before; NULL: at once';
comment on column ipambridge.server_state.last_error is 'NULL: the last exchange was fine';
comment on column ipambridge.server_state.queue is 'Owners that wait to be sent';
comment on column ipambridge.server_state.oldest_due_at is
	'Since when the first of them waits; NULL: none does';
comment on column ipambridge.server_state.in_flight is 'Messages sent and not yet answered';
comment on column ipambridge.server_state.messages is
	'Messages answered since the sending process began';
comment on column ipambridge.server_state.message_ms is
	'Milliseconds from sending to the answer, summed over them';

create table ipambridge.role_state (
	host text not null,
	pid int not null,
	role text not null,
	of text not null default '',
	state text not null,
	status text,
	started_at timestamptz not null default now(),
	alive_at timestamptz not null default now(),
	primary key (host, pid)
) with (fillfactor = 50);
comment on table ipambridge.role_state is
	'The processes of "serve", on whatever machine; each writes its row now and then and removes '
	'it when it ends. A row that has grown old is of a process that died';
comment on column ipambridge.role_state.role is 'supervisor, ingest, push, sync or http';
comment on column ipambridge.role_state.of is 'What it works for: SPACE/SOURCE, a server; or empty';
comment on column ipambridge.role_state.state is 'starting, running, failing or stopping';
comment on column ipambridge.role_state.status is 'What it does, or what is wrong, in a few words';

-- ---- counters ------------------------------------------------------------------------------
-- Exact, and without a row that writers wait for each other at: every statement that adds to the
-- journal adds rows here; tally_fold() makes few of many.

create table ipambridge.tally (
	id bigint generated always as identity primary key,
	zone_id int,
	event text not null,
	rcode int,
	n bigint not null
);
comment on table ipambridge.tally is
	'How many lines of each kind the journal ever had; sum(n) counts, rows are folded now and then';

create function ipambridge.journal_is_counted() returns trigger
	language plpgsql set search_path = pg_catalog
as $$
begin
	insert into ipambridge.tally (zone_id, event, rcode, n)
	select l.zone_id, l.event, l.rcode, count(*) from lines l group by 1, 2, 3;
	return null;
end
$$;
create trigger journal_is_counted after insert on ipambridge.journal
	referencing new table as lines
	for each statement execute function ipambridge.journal_is_counted();

-- What two folders delete they delete one after the other: no row is counted twice.
create function ipambridge.tally_fold() returns void
	language sql set search_path = pg_catalog
as $$
	with gone as (
		delete from ipambridge.tally returning zone_id, event, rcode, n
	)
	insert into ipambridge.tally (zone_id, event, rcode, n)
	select zone_id, event, rcode, sum(n) from gone group by 1, 2, 3
$$;
comment on function ipambridge.tally_fold is 'Makes one row of each counter in table tally';

insert into ipambridge.tally (zone_id, event, rcode, n)
select zone_id, event, rcode, count(*) from ipambridge.journal group by 1, 2, 3;
