-- 0004_decisions.sql - what people decided about single owner names.

alter table ipambridge.owner add column decided text;
alter table ipambridge.owner add constraint owner_decided check (decided in
	('dns', 'ipam', 'disowned'));
comment on column ipambridge.owner.decided is
	'What a person decided. dns: IPAM gives way, nothing is wanted here. ipam: what is seen may be '
	'written over, once. disowned: nothing here is ours, nothing is written. NULL: nothing';
comment on column ipambridge.owner.guards is
	'Seen holds NS, DNAME, CNAME, MX or SRV: names below or pointed at are not written; or IPAM '
	'gives way here';
