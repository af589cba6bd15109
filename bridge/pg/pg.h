/* pg.h - PostgreSQL sessions with deadlines; the only room that includes libpq.
 *
 * Every statement is sent without blocking and waited for until its deadline; past it the
 * session is closed, because a paused server may hold it for ever.  SQL is constant text with
 * $1..$n; values travel beside it, in binary where that saves work.
 * Errors: ERR_SYS no session, ERR_BUSY deadline or lock, ERR_DENIED privileges or password,
 * ERR_PROTO a result of another shape, ERR_BUG the server refused the statement.
 */
#ifndef BRIDGE_PG_PG_H
#define BRIDGE_PG_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/base/buf.h"
#include "bridge/base/err.h"
#include "bridge/value/ipaddr.h"
#include "bridge/value/mac.h"
#include "bridge/value/obs.h"

struct pg;       /* a session */
struct pg_rows;  /* a result */

/* A value of any length; p NULL: SQL NULL. */
struct pg_field {
	const uint8_t *p;
	size_t len;
};

/* conninfo: any libpq string.  application_name becomes "ipambridge ROLE". */
int pg_open(struct pg **out, const char *conninfo, const char *role, int64_t timeout_s,
	    struct err *e);
/* Goes on with the rights of another role of the cluster, outside any transaction: 1 when it does,
 * 0 when there is no such role or the user is no member of it and nothing has changed. */
int pg_set_role(struct pg *p, const char *role, struct err *e);
void pg_close(struct pg *p);
void pg_closep(struct pg **p);
void pg_set_timeout(struct pg *p, int64_t timeout_s);
int64_t pg_timeout(const struct pg *p);

/* Parameters of a statement, appended in order; binary format.  Text that is not UTF-8 gets "?"
 * for each bad byte. */
enum { PG_ARGS_MAX = 24 };
struct pg_args {
	int n;
	uint32_t oid[PG_ARGS_MAX];
	size_t at[PG_ARGS_MAX];  /* where each begins in b */
	struct buf b;
};
void pg_args_init(struct pg_args *a);
void pg_args_fini(struct pg_args *a);
void pg_arg_null(struct pg_args *a);
void pg_arg_i32(struct pg_args *a, int32_t v);
void pg_arg_i64(struct pg_args *a, int64_t v);
void pg_arg_bool(struct pg_args *a, bool v);
void pg_arg_text(struct pg_args *a, const char *s);            /* NULL: SQL NULL */
void pg_arg_bytes(struct pg_args *a, const void *p, size_t len);
void pg_arg_inet(struct pg_args *a, const struct ipaddr *v);
void pg_arg_time(struct pg_args *a, int64_t unix_s);           /* 0: NULL, OBS_FOREVER: infinity */
void pg_arg_inets(struct pg_args *a, const struct ipaddr *v, size_t n);   /* inet[] */
void pg_arg_texts(struct pg_args *a, const char *const *v, size_t n);     /* text[] */

/* Any other array: announce n elements of a type (named by its oid), then append exactly n. */
enum pg_type { PG_BOOL = 16, PG_BYTEA = 17, PG_INT8 = 20, PG_INT4 = 23, PG_TEXT = 25,
	       PG_TID = 27, PG_XID = 28,
	       PG_MACADDR = 829, PG_INET = 869, PG_TIMESTAMPTZ = 1184 };
void pg_arg_array(struct pg_args *a, enum pg_type type, size_t n);
void pg_elem_null(struct pg_args *a);
void pg_elem_i32(struct pg_args *a, int32_t v);
void pg_elem_i64(struct pg_args *a, int64_t v);
void pg_elem_bool(struct pg_args *a, bool v);
void pg_elem_text(struct pg_args *a, const char *s, size_t len);   /* s NULL: SQL NULL */
void pg_elem_bytes(struct pg_args *a, const void *p, size_t len);  /* p NULL: SQL NULL */
void pg_elem_inet(struct pg_args *a, const struct ipaddr *v);
void pg_elem_mac(struct pg_args *a, const struct mac *v);          /* not known: NULL */
void pg_elem_time(struct pg_args *a, int64_t unix_s);
void pg_elem_tid(struct pg_args *a, uint64_t v);                   /* a ctid as pg_i64 reads it */
/* Both at once: elem appends the element that i, a size_t of the caller's, counts. */
#define PG_COLUMN(a, type, i, n, elem)                                                             \
	do {                                                                                       \
		pg_arg_array(a, type, n);                                                          \
		for ((i) = 0; (i) < (n); (i)++)                                                    \
			elem;                                                                      \
	} while (0)

/* Statements.  sql is prepared on first use and kept by its address; args may be NULL. */
int pg_run(struct pg *p, const char *sql, const struct pg_args *args, struct err *e);
int pg_query(struct pg_rows **out, struct pg *p, const char *sql, const struct pg_args *args,
	     struct err *e);
/* As pg_run, but its answer comes with that of the next statement, which is not run when this one
 * failed.  Only inside a transaction: a round trip is saved. */
int pg_run_later(struct pg *p, const char *sql, const struct pg_args *args, struct err *e);
/* A query that is likely to be asked soon: its rows come with the answer to the next statement, and
 * the pg_query that asks the very same takes them without a round trip.  Of more than so many the
 * next is not asked.  Forget them where they are no longer right, and when the transaction ends. */
enum { PG_AHEAD_MAX = 3 };
int pg_query_ahead(struct pg *p, const char *sql, const struct pg_args *args, struct err *e);
/* That very query was asked ahead, is answered and found nothing. */
bool pg_ahead_is_empty(struct pg *p, const char *sql, const struct pg_args *args);
void pg_ahead_forget(struct pg *p, const char *sql);   /* NULL: whatever was asked */
/* Before statements whose parameters carry so many rows.  Few rows: the plan is kept, to plan a
 * statement takes longer than to run it; many: it is made for these. */
int pg_plan_for(struct pg *p, size_t rows, struct err *e);
/* After a rollback nobody knows which it is. */
void pg_plan_forget(struct pg *p);
/* Several statements without parameters in one text (migrations). */
int pg_script(struct pg *p, const char *sql, struct err *e);

void pg_rows_free(struct pg_rows *r);
void pg_rows_freep(struct pg_rows **r);
size_t pg_rows_n(const struct pg_rows *r);
bool pg_is_null(const struct pg_rows *r, size_t row, int col);
int32_t pg_i32(const struct pg_rows *r, size_t row, int col);
int64_t pg_i64(const struct pg_rows *r, size_t row, int col);
bool pg_bool(const struct pg_rows *r, size_t row, int col);
/* Borrowed until the rows are freed; "" for NULL; NUL-terminated. */
const char *pg_text(const struct pg_rows *r, size_t row, int col);
struct bytes pg_bytes(const struct pg_rows *r, size_t row, int col);
struct ipaddr pg_inet(const struct pg_rows *r, size_t row, int col);
struct mac pg_mac(const struct pg_rows *r, size_t row, int col);
int64_t pg_time(const struct pg_rows *r, size_t row, int col);   /* 0: NULL or -infinity */
/* text[], at most cap elements, borrowed: how many there are. */
size_t pg_texts(const struct pg_rows *r, size_t row, int col, struct pg_field *out, size_t cap);

/* After "listen CHANNEL": waits until another session notifies (1, and its payload), other_fd is
 * readable (-1: none) or the monotonic instant has come (0).  Not inside a transaction. */
int pg_wait_notify(struct pg *p, int other_fd, int64_t until_ms, char *payload, size_t size,
		   struct err *e);

/* Binary COPY in: begin, then rows of fields, then end.  One COPY at a time. */
int pg_copy_begin(struct pg *p, const char *sql, struct err *e);
void pg_copy_row(struct pg *p, int n_fields);
void pg_copy_null(struct pg *p);
void pg_copy_i32(struct pg *p, int32_t v);
void pg_copy_i64(struct pg *p, int64_t v);
void pg_copy_bool(struct pg *p, bool v);
void pg_copy_text(struct pg *p, const char *s, size_t len);    /* s NULL: SQL NULL */
void pg_copy_bytes(struct pg *p, const void *v, size_t len);   /* v NULL: SQL NULL */
void pg_copy_inet(struct pg *p, const struct ipaddr *v);
void pg_copy_mac(struct pg *p, const struct mac *v);           /* not known: NULL */
void pg_copy_time(struct pg *p, int64_t unix_s);
/* Sends what is buffered when it has grown; call now and then, and it is called by end. */
int pg_copy_flush(struct pg *p, struct err *e);
int pg_copy_end(struct pg *p, struct err *e);
/* As pg_copy_end, but the server works on while the caller does other things: what it says comes
 * with the next statement, which is not run then.  Not inside a transaction. */
int pg_copy_end_later(struct pg *p, struct err *e);

/* Binary COPY out: cb gets each row's fields; NULL fields have p NULL.  cb returns 0 or a
 * negative code, which ends the walk (the session is then drained). */
typedef int (*pg_row_cb)(void *arg, const struct pg_field *field, int n, struct err *e);
int pg_copy_out(struct pg *p, const char *sql, pg_row_cb cb, void *arg, struct err *e);

#endif
