/* session.h - inside the pg room: a session, waiting for it, and values in binary.
 */
#ifndef BRIDGE_PG_SESSION_H
#define BRIDGE_PG_SESSION_H

#include <libpq-fe.h>

#include "bridge/base/vec.h"
#include "bridge/pg/pg.h"

struct pg {
	PGconn *c;               /* NULL: the session was given up, lost says why */
	struct err lost;
	int64_t timeout_s;
	int64_t deadline_ms;     /* of the statement that runs */
	bool timeout_stale;      /* the server does not know timeout_s yet */
	enum { PG_PLAN_UNKNOWN, PG_PLAN_KEPT, PG_PLAN_MADE } plan;
	bool copying;            /* between copy_begin and copy_end */
	size_t later;            /* statements on their way whose answers are not yet taken */
	struct pg_ahead {
		const char *sql;     /* NULL: nothing was asked ahead */
		struct buf args;
		size_t at;           /* its place among the later ones */
		PGresult *res;       /* NULL: not answered yet */
	} ahead[PG_AHEAD_MAX];
	bool unanswered;         /* a COPY was ended, its answer not yet taken */
	struct buf copy;         /* rows not yet sent */
	VEC(const char *) prepared;  /* statement "s<i>" has the text at this address */
};

struct pg_rows {
	PGresult *res;
};

enum { PG_OID_BOOLS = 1000, PG_OID_BYTEAS = 1001, PG_OID_INT4S = 1007, PG_OID_TEXTS = 1009,
       PG_OID_TIDS = 1010, PG_OID_XIDS = 1011,
       PG_OID_INT8S = 1016, PG_OID_MACADDRS = 1040, PG_OID_INETS = 1041,
       PG_OID_TIMESTAMPTZS = 1185 };

/* The client waits this much longer than the server was told to, so that a server that lives
 * answers first and the session survives. */
enum { PG_GRACE_MS = 1000 };

/* session.c.  Starts the clock of a statement; fails when the session is gone. */
int pg_start(struct pg *p, struct err *e);
/* Waits for something to read. */
int pg_wait_input(struct pg *p, struct err *e);
/* Waits until all that was given to libpq is on its way. */
int pg_flush(struct pg *p, struct err *e);
/* The next result, waited for.  *out NULL: the statement is over. */
int pg_next_result(struct pg *p, PGresult **out, struct err *e);
/* Throws away what is left of the statement. */
int pg_finish_statement(struct pg *p, struct err *e);
/* Ends the session at once; every later call answers ERR_SYS with these words. */
int pg_lose(struct pg *p, int code, struct err *e, const char *why);

/* query.c.  Takes the answers of statements that were run later; the first error counts. */
int pg_settle(struct pg *p, struct err *e);

/* copy.c.  The answer to a COPY that pg_copy_end_later ended. */
int pg_copy_answer(struct pg *p, struct err *e);

/* error.c */
int pg_fail_result(struct pg *p, const PGresult *res, struct err *e);
int pg_fail_connect(PGconn *c, struct err *e);
const char *pg_first_line(char *out, size_t size, const char *s);

/* encode.c: a value with its length before it, as parameters, arrays and COPY share it. */
void enc_null(struct buf *b);
void enc_i32(struct buf *b, int32_t v);
void enc_i64(struct buf *b, int64_t v);
void enc_bool(struct buf *b, bool v);
void enc_text(struct buf *b, const char *s, size_t len);
void enc_bytes(struct buf *b, const void *p, size_t len);
void enc_inet(struct buf *b, const struct ipaddr *v);
void enc_mac(struct buf *b, const struct mac *v);
void enc_time(struct buf *b, int64_t unix_s);
int64_t dec_time(int64_t us);

#endif
