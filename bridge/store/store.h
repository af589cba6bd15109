/* store.h - flow_store on PostgreSQL, and what surrounds it: schema, policy ids, locks.
 */
#ifndef BRIDGE_STORE_STORE_H
#define BRIDGE_STORE_STORE_H

#include "bridge/flow/store.h"
#include "bridge/pg/pg.h"

struct store;

/* Borrows the session.  ERR_CONF with the command to run when the schema is missing, older or
 * newer than this program. */
int store_open(struct store **out, struct pg *pg, struct err *e);
void store_close(struct store *s);
/* Writes spaces, zones, subnets and sources that the configuration names, and fills their ids
 * into the policy.  Things no longer configured keep their rows, marked as gone. */
int store_sync_policy(struct store *s, struct policy *p, struct err *e);
struct flow_store store_flow(struct store *s);
/* One reconciling run at a time (session advisory lock).  ERR_BUSY: another holds it. */
int store_run_lock(struct store *s, struct err *e);
void store_run_unlock(struct store *s);
/* Processes that plan hold the configuration they plan with, until the session ends.  ERR_CONF:
 * another process on this database plans with another one. */
int store_hold_policy(struct store *s, const struct policy *p, struct err *e);
/* Who follows the source (CHANNEL_LOOK) shall look at it now. */
int store_ask_to_look(struct store *s, int32_t source_id, struct err *e);
/* The source is to be read from the start the next time. */
int store_want_whole(struct store *s, int32_t source_id, struct err *e);

/* Notified when owners have become due; and with the id of a source that is to be looked at. */
#define CHANNEL_DUE "ipambridge_due"
#define CHANNEL_LOOK "ipambridge_look"

/* From now on begin and commit work inside one outer transaction that is never committed;
 * store_dry_end rolls it back. */
int store_dry_begin(struct store *s, struct err *e);
void store_dry_end(struct store *s);
/* Removes journal lines older than keep_s. */
int store_journal_trim(struct store *s, int64_t keep_s, struct err *e);

/* What tells a database from others and from older copies of itself. */
struct store_mark {
	char database[37];   /* UUID */
	int64_t line;        /* newest of the journal; 0: none */
	int64_t at_s;        /* its time */
};
int store_mark_get(struct pg *pg, struct store_mark *out, struct err *e);
/* Does the journal hold that line, or did it before it was trimmed? */
int store_mark_held(struct pg *pg, const struct store_mark *m, bool *out, struct err *e);

/* Migrations (store/migrate.c): the files of schema/, embedded, each in a transaction of its
 * own, under an advisory lock, with SHA-256 checksums kept. */
struct migration_row {
	int version;
	const char *name;        /* "0001_init.sql" */
	char applied_at[24];     /* "" pending */
	bool changed;            /* applied with another checksum than this program's file */
};
/* init creates the schema in an empty database and runs all; migrate runs what is missing. */
int db_init(struct pg *pg, unsigned *n_run, struct err *e);
int db_migrate(struct pg *pg, unsigned *n_run, struct err *e);
int db_status(struct pg *pg, struct migration_row *out, size_t cap, size_t *n, struct err *e);

#endif
