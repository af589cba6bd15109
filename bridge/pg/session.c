/* session.c - opening a session and waiting for it, never longer than its deadline.
 *
 * Knows nothing of what statements say.  libpq runs in non-blocking mode throughout; the one
 * place that sleeps is wait_fd.  (Looking up a host name happens inside PQconnectStart and
 * blocks: an address or a socket directory has no such risk.)
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/pg/session.h"

/* One round trip after connecting.  Everything that could be set for a role or a database and
 * would change what our statements mean or cost is set here. */
static const char SETTINGS_SQL[] =
	"select set_config('client_min_messages', 'warning', false),"
	" set_config('timezone', 'UTC', false),"
	" set_config('search_path', 'pg_catalog, pg_temp', false),"
	" set_config('default_transaction_isolation', 'read committed', false),"
	/* Compiling takes longer than any of our statements. */
	" set_config('jit', 'off', false)";

static const char TIMEOUT_SQL[] =
	"select set_config('statement_timeout', $1, false),"
	" set_config('lock_timeout', $2, false),"
	" set_config('idle_in_transaction_session_timeout', $3, false)";

static const char ROLE_SQL[] =
	"select set_config('role', rolname, false) from pg_catalog.pg_roles"
	" where rolname = $1 and pg_catalog.pg_has_role(current_user, oid, 'member')";

static void on_notice(void *arg, const char *message)
{
	char line[256];

	(void)arg;
	log_event(MSG_DATABASE_SAYS, "database", "%s", pg_first_line(line, sizeof(line), message));
}

/* Milliseconds for poll(2) until the deadline; 0 when it has passed. */
static int ms_left(int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_mono_ms();

	if (left <= 0)
		return 0;
	return left > 60000 ? 60000 : (int)left;
}

/* 1: ready, 0: the deadline passed, negative: poll failed. */
static int wait_fd(PGconn *c, short events, int64_t deadline_ms)
{
	struct pollfd pfd = {.fd = PQsocket(c), .events = events};

	for (;;) {
		int ms = ms_left(deadline_ms);
		int r = poll(&pfd, 1, ms);

		if (r > 0)
			return 1;
		if (r < 0 && errno != EINTR)
			return -1;
		if (ms == 0)
			return 0;
	}
}

static int connect_poll(PGconn *c, int64_t deadline_ms, int64_t timeout_s, struct err *e)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (next != PGRES_POLLING_OK) {
		int r;

		if (next == PGRES_POLLING_FAILED || PQstatus(c) == CONNECTION_BAD)
			return pg_fail_connect(c, e);
		r = wait_fd(c, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms);
		if (r < 0)
			return err_sys(e, errno, "waiting for the database");
		if (r == 0) {
			err_set(e, ERR_BUSY, "the database did not accept a session within %lld s",
				(long long)timeout_s);
			err_hint(e, "it may be paused, overloaded or behind a firewall; check \"host\" and "
				 "\"port\" in the setting \"database\"");
			return ERR_BUSY;
		}
		next = PQconnectPoll(c);
	}
	return 0;
}

static PGconn *connect_start(const char *conninfo, const char *role, int64_t timeout_s)
{
	char name[64], user_ms[24], connect_s[24];
	/* Before "dbname": defaults that conninfo may change.  tcp_user_timeout also ends the
	 * attempt at one host that does not answer, so the next of several is tried in time. */
	const char *keys[] = {"fallback_application_name", "connect_timeout", "keepalives",
			      "keepalives_idle", "keepalives_interval", "keepalives_count",
			      "tcp_user_timeout", "dbname", "client_encoding", NULL};
	const char *vals[] = {name, connect_s, "1", "30", "10", "3", user_ms, conninfo, "UTF8",
			      NULL};

	snprintf(name, sizeof(name), "ipambridge %s", role);
	snprintf(connect_s, sizeof(connect_s), "%lld", (long long)timeout_s);
	snprintf(user_ms, sizeof(user_ms), "%lld", (long long)timeout_s * 1000 / 2);
	return PQconnectStartParams(keys, vals, 1);
}

static int settings(struct pg *p, struct err *e)
{
	int r = pg_run(p, SETTINGS_SQL, NULL, e);

	return r < 0 ? err_in(e, r, "setting up the database session") : 0;
}

int pg_open(struct pg **out, const char *conninfo, const char *role, int64_t timeout_s,
	    struct err *e)
{
	AUTO(pg_closep) struct pg *p = calloc(1, sizeof(*p));
	int r;

	if (p == NULL)
		return err_nomem(e);
	pg_set_timeout(p, timeout_s);
	p->c = connect_start(conninfo, role, p->timeout_s);
	if (p->c == NULL)
		return err_nomem(e);
	if (PQstatus(p->c) == CONNECTION_BAD)
		return pg_fail_connect(p->c, e);
	r = connect_poll(p->c, clock_mono_ms() + p->timeout_s * 1000, p->timeout_s, e);
	if (r < 0)
		return r;
	PQsetNoticeProcessor(p->c, on_notice, NULL);
	if (PQsetnonblocking(p->c, 1) != 0)
		return err_set(e, ERR_SYS, "the database session cannot be made non-blocking");
	r = settings(p, e);
	if (r < 0)
		return r;
	*out = own_take(&p);
	return 0;
}

int pg_set_role(struct pg *p, const char *role, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_text(&a, role);
	r = pg_query(&rows, p, ROLE_SQL, &a, e);
	pg_args_fini(&a);
	/* A membership may come without the right to use it. */
	if (r == ERR_DENIED)
		return 0;
	return r < 0 ? err_in(e, r, "taking the role \"%s\"", role) : pg_rows_n(rows) == 1;
}

void pg_close(struct pg *p)
{
	size_t i;

	if (p == NULL)
		return;
	PQfinish(p->c);
	pg_ahead_forget(p, NULL);
	for (i = 0; i < PG_AHEAD_MAX; i++)
		buf_fini(&p->ahead[i].args);
	buf_fini(&p->copy);
	vec_fini(&p->prepared);
	free(p);
}

void pg_closep(struct pg **p)
{
	pg_close(*p);
	*p = NULL;
}

void pg_set_timeout(struct pg *p, int64_t timeout_s)
{
	/* 0 would mean "for ever" to the server; a day is the most a statement may need. */
	if (timeout_s < 1)
		timeout_s = 1;
	if (timeout_s > 86400)
		timeout_s = 86400;
	p->timeout_stale = p->timeout_stale || p->timeout_s != timeout_s;
	p->timeout_s = timeout_s;
}

int64_t pg_timeout(const struct pg *p)
{
	return p->timeout_s;
}

/* Tells the server.  A waiter for a lock gives up before the statement does, so the message
 * names the lock; a transaction left open by a stopped process ends by itself. */
static int send_timeouts(struct pg *p, struct err *e)
{
	int64_t ms = p->timeout_s * 1000;
	int64_t v[3] = {ms, ms * 3 / 4, ms * 2 < 60000 ? 60000 : ms * 2};
	struct pg_args a;
	int i, r;

	pg_args_init(&a);
	for (i = 0; i < 3; i++) {
		char text[24];

		snprintf(text, sizeof(text), "%lld", (long long)v[i]);
		pg_arg_text(&a, text);
	}
	p->timeout_stale = false;
	r = pg_run(p, TIMEOUT_SQL, &a, e);
	p->timeout_stale = r < 0;
	pg_args_fini(&a);
	return r;
}

int pg_start(struct pg *p, struct err *e)
{
	if (p->c == NULL) {
		if (e != NULL)
			*e = p->lost;
		return err_in(e, ERR_SYS, "the database session is closed");
	}
	if (p->copying)
		return err_set(e, ERR_BUG, "a statement was sent while a COPY is open");
	if (p->later > 0) {
		int r = pg_settle(p, e);

		if (r < 0)
			return r;
	}
	p->deadline_ms = clock_mono_ms() + p->timeout_s * 1000 + PG_GRACE_MS;
	if (p->unanswered) {
		int r = pg_copy_answer(p, e);

		if (r < 0)
			return r;
	}
	if (p->timeout_stale && PQtransactionStatus(p->c) == PQTRANS_IDLE) {
		int r = send_timeouts(p, e);

		if (r < 0)
			return r;
	}
	p->deadline_ms = clock_mono_ms() + p->timeout_s * 1000 + PG_GRACE_MS;
	return 0;
}

int pg_lose(struct pg *p, int code, struct err *e, const char *why)
{
	struct err here = {0};

	err_set(&here, code, "%s", why);
	if (code == ERR_BUSY)
		err_hint(&here, "the database server may be paused, overloaded or cut off");
	p->lost = here;
	if (e != NULL)
		*e = here;
	/* The socket does not block, so the farewell is sent only if it fits. */
	PQfinish(p->c);
	p->c = NULL;
	p->copying = false;
	p->unanswered = false;
	p->prepared.n = 0;
	pg_ahead_forget(p, NULL);
	buf_reset(&p->copy);
	return code;
}

static int lose_io(struct pg *p, struct err *e)
{
	char line[256], why[320];

	snprintf(why, sizeof(why), "the database session broke: %s",
		 pg_first_line(line, sizeof(line), PQerrorMessage(p->c)));
	return pg_lose(p, ERR_SYS, e, why);
}

/* Sleeps until the socket is ready or the deadline; reads what has come. */
static int wait_io(struct pg *p, short events, struct err *e)
{
	int r = wait_fd(p->c, events, p->deadline_ms);

	if (r < 0)
		return pg_lose(p, ERR_SYS, e, "poll on the database socket failed");
	if (r == 0) {
		char why[120];

		snprintf(why, sizeof(why), "the database did not answer within %lld s",
			 (long long)p->timeout_s);
		return pg_lose(p, ERR_BUSY, e, why);
	}
	/* On an end of the stream libpq still hands out the server's last words as a result. */
	if (PQconsumeInput(p->c) == 0 && PQisBusy(p->c))
		return lose_io(p, e);
	return 0;
}

int pg_wait_input(struct pg *p, struct err *e)
{
	return wait_io(p, POLLIN, e);
}

int pg_flush(struct pg *p, struct err *e)
{
	/* Reading meanwhile: a server whose own answers are not taken stops listening. */
	for (;;) {
		int r = PQflush(p->c);

		if (r == 0)
			return 0;
		if (r < 0)
			return lose_io(p, e);
		r = wait_io(p, POLLIN | POLLOUT, e);
		if (r < 0)
			return r;
	}
}

int pg_next_result(struct pg *p, PGresult **out, struct err *e)
{
	int r = pg_flush(p, e);

	*out = NULL;
	while (r == 0 && PQisBusy(p->c))
		r = pg_wait_input(p, e);
	if (r == 0)
		*out = PQgetResult(p->c);
	return r;
}

int pg_finish_statement(struct pg *p, struct err *e)
{
	for (;;) {
		PGresult *res;
		ExecStatusType st;
		int r = pg_next_result(p, &res, e);

		if (r < 0 || res == NULL)
			return r;
		st = PQresultStatus(res);
		PQclear(res);
		/* A COPY would hand out the same result for ever. */
		if (st == PGRES_COPY_IN || st == PGRES_COPY_OUT || st == PGRES_COPY_BOTH)
			return pg_lose(p, ERR_BUG, e, "a COPY was left open");
	}
}
