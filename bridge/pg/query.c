/* query.c - statements and what they answer: prepared once a session, values in binary.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/pg/session.h"

static int send_failed(struct pg *p, struct err *e)
{
	char line[256];

	pg_first_line(line, sizeof(line), PQerrorMessage(p->c));
	return pg_lose(p, ERR_SYS, e, *line == '\0' ? "the statement could not be sent" : line);
}

/* The one result of a statement; *out is NULL unless it succeeded. */
static int one_result(struct pg *p, PGresult **out, struct err *e)
{
	PGresult *res;
	ExecStatusType st;
	int r = pg_next_result(p, &res, e);

	*out = NULL;
	if (r < 0)
		return r;
	if (res == NULL)
		return pg_lose(p, ERR_PROTO, e, "the database answered nothing to a statement");
	st = PQresultStatus(res);
	if (st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK) {
		*out = res;
	} else if (st == PGRES_FATAL_ERROR || st == PGRES_BAD_RESPONSE) {
		r = pg_fail_result(p, res, e);
		PQclear(res);
	} else {
		PQclear(res);
		return pg_lose(p, ERR_BUG, e, "a statement started a COPY");
	}
	if (p->c != NULL) {
		int r2 = pg_finish_statement(p, r < 0 ? NULL : e);

		if (r == 0)
			r = r2;
	}
	if (r < 0 && *out != NULL) {
		PQclear(*out);
		*out = NULL;
	}
	return r;
}

static const char *statement_name(char out[24], size_t i)
{
	snprintf(out, 24, "s%zu", i);
	return out;
}

/* The number of the prepared statement; prepares it when it is new. */
static int prepare(size_t *out, struct pg *p, const char *sql, const struct pg_args *args,
		   struct err *e)
{
	char name[24];
	PGresult *res;
	size_t i;
	int r;

	for (i = 0; i < p->prepared.n; i++) {
		if (p->prepared.v[i] == sql) {
			*out = i;
			return 0;
		}
	}
	if (vec_reserve(&p->prepared, 1) < 0)
		return err_nomem(e);
	if (!PQsendPrepare(p->c, statement_name(name, i), sql, args == NULL ? 0 : args->n,
			   args == NULL ? NULL : args->oid))
		return send_failed(p, e);
	r = one_result(p, &res, e);
	if (r < 0)
		return r;
	PQclear(res);
	p->prepared.v[p->prepared.n++] = sql;
	*out = i;
	return 0;
}

static int send_prepared(struct pg *p, size_t number, const struct pg_args *args, struct err *e)
{
	static const uint8_t null_len[4] = {0xff, 0xff, 0xff, 0xff};
	const char *val[PG_ARGS_MAX];
	int len[PG_ARGS_MAX], format[PG_ARGS_MAX];
	int n = args == NULL ? 0 : args->n;
	char name[24];
	int i;

	for (i = 0; i < n; i++) {
		const char *at = args->b.p + args->at[i];
		size_t end = i + 1 < n ? args->at[i + 1] : args->b.len;
		size_t size = end - args->at[i] - 4;

		if (size > INT32_MAX)
			return err_set(e, ERR_BUG, "a parameter is over 2 GB");
		val[i] = memcmp(at, null_len, 4) == 0 ? NULL : at + 4;
		len[i] = (int)size;
		format[i] = 1;
	}
	if (!PQsendQueryPrepared(p->c, statement_name(name, number), n, val, len, format, 1))
		return send_failed(p, e);
	return 0;
}

/* ---- several statements in one round trip ------------------------------------------------ */

/* The result of the next statement of the pipeline.  Those behind one that failed were not run. */
static int piped_result(struct pg *p, PGresult **out, struct err *e)
{
	PGresult *res, *end = NULL;
	ExecStatusType st;
	int r = pg_next_result(p, &res, e), r2;

	*out = NULL;
	if (r < 0)
		return r;
	st = res == NULL ? PGRES_BAD_RESPONSE : PQresultStatus(res);
	if (st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK)
		*out = res;
	else if (st == PGRES_PIPELINE_ABORTED)
		r = err_set(e, ERR_BUG, "a statement was not run, because one before it failed");
	else if (res != NULL)
		r = pg_fail_result(p, res, e);
	else
		return pg_lose(p, ERR_PROTO, e, "the database answered nothing to a statement");
	if (r < 0)
		PQclear(res);
	r2 = p->c == NULL ? 0 : pg_next_result(p, &end, r < 0 ? NULL : e);
	if (p->c != NULL && r2 == 0 && end != NULL)
		r2 = pg_lose(p, ERR_PROTO, r < 0 ? NULL : e, "a statement answered twice");
	PQclear(end);
	return r < 0 ? r : r2;
}

static int leave_pipeline(struct pg *p, struct err *e)
{
	PGresult *res;
	int r = pg_next_result(p, &res, e);

	if (r < 0)
		return r;
	if (res == NULL || PQresultStatus(res) != PGRES_PIPELINE_SYNC)
		r = pg_lose(p, ERR_PROTO, e, "the database lost its place among statements");
	PQclear(res);
	if (r == 0 && !PQexitPipelineMode(p->c))
		r = pg_lose(p, ERR_PROTO, e, "the database did not end a series of statements");
	return r;
}

/* What the statement at that place asked ahead; NULL: it did not. */
static struct pg_ahead *ahead_at(struct pg *p, size_t i)
{
	struct pg_ahead *a;

	for (a = p->ahead; a < p->ahead + PG_AHEAD_MAX; a++) {
		if (a->sql != NULL && a->res == NULL && a->at == i)
			return a;
	}
	return NULL;
}

static void forget(struct pg_ahead *a)
{
	PQclear(a->res);
	a->res = NULL;
	a->sql = NULL;
	buf_reset(&a->args);
}

void pg_ahead_forget(struct pg *p, const char *sql)
{
	size_t i;

	for (i = 0; i < PG_AHEAD_MAX; i++) {
		if (sql == NULL || p->ahead[i].sql == sql)
			forget(&p->ahead[i]);
	}
}

/* Those that were not answered never will be. */
static void forget_unanswered(struct pg *p)
{
	size_t i;

	for (i = 0; i < PG_AHEAD_MAX; i++) {
		if (p->ahead[i].res == NULL)
			forget(&p->ahead[i]);
	}
}

/* All that is under way; the last result is out's, unless it is NULL.  The first error counts. */
static int take_results(struct pg *p, PGresult **out, struct err *e)
{
	size_t n = p->later + (out != NULL), i;
	int r = 0, r2;

	p->later = 0;
	if (!PQpipelineSync(p->c))
		return send_failed(p, e);
	for (i = 0; i < n && p->c != NULL; i++) {
		PGresult *res = NULL;
		struct pg_ahead *ahead = ahead_at(p, i);
		bool last = out != NULL && i + 1 == n;

		r2 = piped_result(p, &res, r < 0 ? NULL : e);
		r = r < 0 ? r : r2;
		if (last && r == 0)
			*out = res;
		else if (ahead != NULL && r == 0)
			ahead->res = res;
		else
			PQclear(res);
	}
	forget_unanswered(p);
	r2 = p->c == NULL ? r : leave_pipeline(p, r < 0 ? NULL : e);
	if (r == 0 && r2 < 0 && out != NULL) {
		PQclear(*out);
		*out = NULL;
	}
	return r < 0 ? r : r2;
}

int pg_settle(struct pg *p, struct err *e)
{
	if (p->later == 0)
		return 0;
	p->deadline_ms = clock_mono_ms() + p->timeout_s * 1000 + PG_GRACE_MS;
	return take_results(p, NULL, e);
}

static bool is_prepared(const struct pg *p, const char *sql)
{
	size_t i;

	for (i = 0; i < p->prepared.n; i++) {
		if (p->prepared.v[i] == sql)
			return true;
	}
	return false;
}

/* Ready to send: what is to be prepared is prepared by itself, after what is under way. */
static int make_ready(size_t *number, struct pg *p, const char *sql, const struct pg_args *args,
		      struct err *e)
{
	int r = 0;

	if (args != NULL && args->b.bad)
		return err_nomem(e);
	if (p->c == NULL || p->later == 0 || !is_prepared(p, sql))
		r = pg_start(p, e);
	return r < 0 ? r : prepare(number, p, sql, args, e);
}

int pg_run_later(struct pg *p, const char *sql, const struct pg_args *args, struct err *e)
{
	size_t number = 0;
	int r = make_ready(&number, p, sql, args, e);

	if (r < 0)
		return r;
	if (p->later == 0 && !PQenterPipelineMode(p->c))
		return pg_lose(p, ERR_BUG, e, "a series of statements could not be begun");
	r = send_prepared(p, number, args, e);
	p->later += r == 0;
	return r;
}

int pg_query_ahead(struct pg *p, const char *sql, const struct pg_args *args, struct err *e)
{
	struct pg_ahead *a = p->ahead;
	int r;

	while (a < p->ahead + PG_AHEAD_MAX && a->sql != NULL)
		a++;
	if (a == p->ahead + PG_AHEAD_MAX)
		return 0;
	r = pg_run_later(p, sql, args, e);
	if (r < 0)
		return r;
	buf_add(&a->args, args->b.p, args->b.len);
	if (a->args.bad)
		return err_nomem(e);
	a->sql = sql;
	a->at = p->later - 1;
	return 0;
}

/* The answer to that very query; NULL: it was not asked ahead, or not with these parameters. */
static struct pg_ahead *find_ahead(struct pg *p, const char *sql, const struct pg_args *args)
{
	struct pg_ahead *a;

	for (a = p->ahead; args != NULL && a < p->ahead + PG_AHEAD_MAX; a++) {
		if (a->res != NULL && a->sql == sql && a->args.len == args->b.len &&
		    memcmp(a->args.p, args->b.p, args->b.len) == 0)
			return a;
	}
	return NULL;
}

bool pg_ahead_is_empty(struct pg *p, const char *sql, const struct pg_args *args)
{
	const struct pg_ahead *a = find_ahead(p, sql, args);

	return a != NULL && PQntuples(a->res) == 0;
}

/* Handed out once. */
static PGresult *take_ahead(struct pg *p, const char *sql, const struct pg_args *args)
{
	struct pg_ahead *a = find_ahead(p, sql, args);
	PGresult *res;

	if (a == NULL)
		return NULL;
	res = a->res;
	a->res = NULL;
	forget(a);
	return res;
}

static int execute(PGresult **out, struct pg *p, const char *sql, const struct pg_args *args,
		   struct err *e)
{
	size_t number = 0;
	int r = make_ready(&number, p, sql, args, e);

	*out = NULL;
	if (r < 0)
		return r;
	p->deadline_ms = clock_mono_ms() + p->timeout_s * 1000 + PG_GRACE_MS;
	r = send_prepared(p, number, args, e);
	if (r < 0)
		return r;
	return p->later > 0 ? take_results(p, out, e) : one_result(p, out, e);
}

/* Behind a statement that failed a rollback would not be run either. */
static void settle_before_rollback(struct pg *p, const char *sql)
{
	if (p->later > 0 && strncasecmp(sql, "rollback", 8) == 0)
		pg_settle(p, NULL);
}

int pg_run(struct pg *p, const char *sql, const struct pg_args *args, struct err *e)
{
	PGresult *res;
	bool undone;
	int r;

	settle_before_rollback(p, sql);
	r = execute(&res, p, sql, args, e);
	if (r < 0)
		return r;
	/* A COMMIT of a transaction that failed earlier succeeds as a ROLLBACK. */
	undone = strncasecmp(sql, "commit", 6) == 0 && strcmp(PQcmdStatus(res), "ROLLBACK") == 0;
	PQclear(res);
	if (undone)
		return err_set(e, ERR_BUG, "the transaction had failed and was rolled back");
	return 0;
}

int pg_query(struct pg_rows **out, struct pg *p, const char *sql, const struct pg_args *args,
	     struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = calloc(1, sizeof(*rows));
	int r;

	*out = NULL;
	if (rows == NULL)
		return err_nomem(e);
	rows->res = take_ahead(p, sql, args);
	r = rows->res != NULL ? 0 : execute(&rows->res, p, sql, args, e);
	if (r < 0)
		return r;
	if (PQresultStatus(rows->res) != PGRES_TUPLES_OK)
		return err_set(e, ERR_PROTO, "a query answered without rows");
	*out = own_take(&rows);
	return 0;
}

int pg_script(struct pg *p, const char *sql, struct err *e)
{
	int r;

	settle_before_rollback(p, sql);
	r = pg_start(p, e);
	if (r < 0)
		return r;
	if (!PQsendQuery(p->c, sql))
		return send_failed(p, e);
	for (;;) {
		PGresult *res;
		ExecStatusType st;

		r = pg_next_result(p, &res, e);
		if (r < 0 || res == NULL)
			return r;
		st = PQresultStatus(res);
		if (st == PGRES_FATAL_ERROR || st == PGRES_BAD_RESPONSE)
			r = pg_fail_result(p, res, e);
		PQclear(res);
		if (st == PGRES_COPY_IN || st == PGRES_COPY_OUT || st == PGRES_COPY_BOTH)
			return pg_lose(p, ERR_BUG, e, "a script started a COPY");
		if (r < 0) {
			if (p->c != NULL)
				pg_finish_statement(p, NULL);
			return r;
		}
	}
}

/* ---- rows ---------------------------------------------------------------------------------- */

void pg_rows_free(struct pg_rows *r)
{
	if (r == NULL)
		return;
	PQclear(r->res);
	free(r);
}

void pg_rows_freep(struct pg_rows **r)
{
	pg_rows_free(*r);
	*r = NULL;
}

size_t pg_rows_n(const struct pg_rows *r)
{
	return (size_t)PQntuples(r->res);
}

bool pg_is_null(const struct pg_rows *r, size_t row, int col)
{
	return PQgetisnull(r->res, (int)row, col);
}

/* Any integer type, whatever its width; 0 for NULL. */
int64_t pg_i64(const struct pg_rows *r, size_t row, int col)
{
	struct bytes v = pg_bytes(r, row, col);
	uint64_t u = 0;
	uint16_t i;

	for (i = 0; i < v.len && i < 8; i++)
		u = u << 8 | v.p[i];
	switch (v.len) {
	case 2: return (int16_t)u;
	case 4: return (int32_t)u;
	default: return (int64_t)u;
	}
}

int32_t pg_i32(const struct pg_rows *r, size_t row, int col)
{
	return (int32_t)pg_i64(r, row, col);
}

bool pg_bool(const struct pg_rows *r, size_t row, int col)
{
	struct bytes v = pg_bytes(r, row, col);

	return v.len == 1 && v.p[0] != 0;
}

const char *pg_text(const struct pg_rows *r, size_t row, int col)
{
	const char *s = PQgetvalue(r->res, (int)row, col);

	return s == NULL ? "" : s;
}

struct bytes pg_bytes(const struct pg_rows *r, size_t row, int col)
{
	struct bytes b = {NULL, 0};
	int len;

	if (pg_is_null(r, row, col))
		return b;
	len = PQgetlength(r->res, (int)row, col);
	b.p = (const uint8_t *)PQgetvalue(r->res, (int)row, col);
	b.len = len > UINT16_MAX ? UINT16_MAX : (uint16_t)len;
	return b;
}

struct ipaddr pg_inet(const struct pg_rows *r, size_t row, int col)
{
	struct bytes v = pg_bytes(r, row, col);
	struct ipaddr a = {0};

	/* family, bits, is_cidr, length, bytes */
	if (v.len < 4 || v.p[3] > 16 || v.len != 4 + v.p[3])
		return a;
	a.family = v.p[0] == 2 ? 4 : 6;
	memcpy(a.b, v.p + 4, v.p[3]);
	return a;
}

struct mac pg_mac(const struct pg_rows *r, size_t row, int col)
{
	struct bytes v = pg_bytes(r, row, col);
	struct mac m = {0};

	if (v.len != sizeof(m.b))
		return m;
	m.known = true;
	memcpy(m.b, v.p, sizeof(m.b));
	return m;
}

int64_t pg_time(const struct pg_rows *r, size_t row, int col)
{
	return pg_is_null(r, row, col) ? 0 : dec_time(pg_i64(r, row, col));
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t pg_texts(const struct pg_rows *r, size_t row, int col, struct pg_field *out, size_t cap)
{
	const uint8_t *p = (const uint8_t *)PQgetvalue(r->res, (int)row, col);
	size_t left = (size_t)PQgetlength(r->res, (int)row, col);
	size_t n, i;

	/* dimensions, has-NULL, type, then per dimension: elements, lower bound */
	if (pg_is_null(r, row, col) || left < 20 || be32(p) != 1)
		return 0;
	n = be32(p + 12);
	p += 20;
	left -= 20;
	for (i = 0; i < n && i < cap; i++) {
		uint32_t len;

		if (left < 4)
			return i;
		len = be32(p);
		p += 4;
		left -= 4;
		out[i] = (struct pg_field){NULL, 0};
		if (len == UINT32_MAX)
			continue;
		if (len > left)
			return i;
		out[i] = (struct pg_field){p, len};
		p += len;
		left -= len;
	}
	return n;
}

int pg_plan_for(struct pg *p, size_t rows, struct err *e)
{
	enum { MANY = 100 };
	bool made = rows > MANY;
	int r = 0;

	if (p->plan == (made ? PG_PLAN_MADE : PG_PLAN_KEPT))
		return 0;
	p->plan = PG_PLAN_UNKNOWN;
	r = pg_run_later(p, made ? "set plan_cache_mode = force_custom_plan"
				 : "set plan_cache_mode = force_generic_plan", NULL, e);
	if (r == 0)
		p->plan = made ? PG_PLAN_MADE : PG_PLAN_KEPT;
	return r;
}

void pg_plan_forget(struct pg *p)
{
	p->plan = PG_PLAN_UNKNOWN;
}
