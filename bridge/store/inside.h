/* inside.h - the inside of the store room: the session, the transaction, rows to values.
 */
#ifndef BRIDGE_STORE_INSIDE_H
#define BRIDGE_STORE_INSIDE_H

#include "bridge/base/vec.h"
#include "bridge/store/store.h"

/* Tables that grow by what flow writes; see store_grown. */
enum store_growth { GROWN_OBSERVATION, GROWN_HOST, GROWN_OWNER, GROWN };

/* A journal line with its texts kept; NULL for SQL NULL. */
struct store_line {
	int64_t at_s;
	int32_t space_id, zone_id;
	int rcode;
	const struct ipaddr *addr;
	const char *owner, *event, *before, *after, *why;
};

struct store {
	struct pg *pg;
	bool in_tx;
	bool dry;                 /* an outer transaction is open that will be rolled back */
	bool due;                 /* the open transaction made owners due */
	VEC(struct store_zone {
		int32_t id;
		uint64_t since;
		uint64_t unsent;
	}) zones;                 /* locked by this session */

	/* The stage (stage.c). */
	bool stage_made;          /* the session has its temporary tables */
	bool stage_diff_made;     /* and the one for differences */
	bool stage_new;           /* they were made in the open transaction, */
	bool stage_diff_new;      /* it was */
	int32_t stage_source;     /* 0: no stage */
	size_t stage_rows;        /* in the tables since they were last emptied */
	uint32_t stage_seq;       /* of the next row */
	bool stage_ascending;     /* every key so far was greater than the one before */
	struct ipaddr stage_last; /* address of the last row */
	int64_t stage_after;      /* differences up to this number were handed out */
	int64_t stage_seen_all_s; /* source.seen_all_at before this pass */

	/* Journal lines of the open transaction (journal.c). */
	VEC(struct store_line) lines;
	struct arena lines_arena;

	/* Rows written since the planner's statistics were last made. */
	uint64_t grown[GROWN];
	uint64_t analyze_at[GROWN];
};

/* Counts rows written; store_settle_growth runs ANALYZE outside transactions when a table has
 * grown out of its statistics: plans made for an empty table would read a full one from end to
 * end, and autovacuum comes only after a minute. */
void store_grown(struct store *s, enum store_growth t, size_t n);
int store_settle_growth(struct store *s, struct err *e);

/* One statement, or several in one transaction: the outer or the caller's, if there is one. */
int store_atomic_begin(struct store *s, bool *mine, struct err *e);
int store_atomic_end(struct store *s, bool mine, int r, struct err *e);

/* One process at a time writes what the configuration names; not bound to a transaction. */
int store_lock_sync(struct store *s, struct err *e);
void store_unlock_sync(struct store *s);

/* The key that an observation's name is: only manual ones have it. */
struct bytes store_name_key(const struct obs *o);

/* Evidence in the column order of the queries that select it, from column col on. */
enum { EVIDENCE_COLS = 17 };
int store_read_evidence(struct evidence *out, const struct pg_rows *r, size_t row, int col,
			struct arena *a, struct err *e);
bool store_keep_bytes(struct bytes *out, struct arena *a, struct bytes in);
/* NULL for SQL NULL.  False: no memory. */
bool store_keep_text(const char **out, struct arena *a, const struct pg_rows *r, size_t row,
		     int col);
int store_read_kind(uint8_t *out, const char *text, struct err *e);
/* A name as dname_print wrote it; "" is no name. */
int store_read_name(struct dname *out, const char *text, struct err *e);
uint32_t store_u32(const struct pg_rows *r, size_t row, int col);

/* Parameters. */
void store_elem_name(struct pg_args *a, const struct dname *n);   /* len 0: "" */
void store_elem_bytes(struct pg_args *a, struct bytes b);         /* empty: NULL */
void store_elem_kind(struct pg_args *a, uint8_t kind);            /* enum obs_kind, by name */

/* Fields of a COPY. */
void store_copy_text(struct pg *p, const char *s);                /* NULL: NULL */
void store_copy_bytes(struct pg *p, struct bytes b);              /* empty: NULL */
void store_copy_ttl(struct pg *p, uint32_t ttl_s);                /* 0: NULL */
/* The rest of a COPY that was begun: row(arg, i), 0 or ERR_NOMEM, for each of n rows, and its end. */
typedef int (*store_copy_row)(struct pg *p, const void *arg, size_t i);
int store_copy_rows(struct store *s, size_t n, store_copy_row row, const void *arg, struct err *e);

/* fresh.c: rows that the tables do not have, at least so many; less is not worth the round trips of
 * a COPY. */
enum { STORE_MANY = 64 };
int store_copy_owners(struct store *s, const struct belief *const *v, size_t n, struct err *e);
int store_copy_evidence(struct store *s, const struct evidence *v, size_t n, struct err *e);
int store_copy_hosts(struct store *s, int32_t space_id, const struct host *v, size_t n,
		     struct err *e);

/* Each file adds its functions to the table. */
void store_bind_evidence(struct flow_store *f);
void store_bind_stage(struct flow_store *f);
void store_bind_hosts(struct flow_store *f);
void store_bind_beliefs(struct flow_store *f);
void store_bind_misc(struct flow_store *f);
void store_bind_journal(struct flow_store *f);

/* Writes the journal lines that wait; called before each commit. */
int store_journal_flush(struct store *s, struct err *e);
/* After a rollback they never were. */
void store_journal_forget(struct store *s);

/* migrate.c: is the schema the one this program was built for?  ERR_CONF with the next step. */
int db_check(struct pg *pg, struct err *e);

/* The stage of an ended dry run is gone with its transaction. */
void store_stage_forget(struct store *s);
/* Tables made in a transaction that is rolled back are gone. */
void store_stage_ended(struct store *s, bool committed);

#endif
