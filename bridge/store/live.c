/* live.c - see live.h. */
#include "bridge/store/live.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

static const char *const status_names[] = {
	[SERVER_OK] = "ok",
	[SERVER_UNREACHABLE] = "unreachable",
	[SERVER_PARKED] = "parked",
};

enum { N_STATUS = sizeof(status_names) / sizeof(status_names[0]) };

const char *server_status_name(enum server_status s)
{
	return status_names[s];
}

static int run(struct pg *pg, const char *sql, struct pg_args *a, struct err *e)
{
	int r = pg_run(pg, sql, a, e);

	pg_args_fini(a);
	return r;
}

/* ---- name servers -------------------------------------------------------------------------- */

int store_server_put(struct pg *pg, const struct server_state *v, struct err *e)
{
	struct pg_args a;

	pg_args_init(&a);
	pg_arg_text(&a, v->name);
	pg_arg_text(&a, server_status_name(v->state));
	pg_arg_time(&a, v->next_try_s);
	pg_arg_text(&a, v->last_error);
	pg_arg_i64(&a, v->queue);
	pg_arg_time(&a, v->oldest_due_s);
	pg_arg_i32(&a, v->in_flight);
	pg_arg_i64(&a, v->messages);
	pg_arg_i64(&a, v->message_ms);
	return run(pg, sql_server_put, &a, e);
}

static int read_server(struct server_state *v, const struct pg_rows *r, size_t i, struct arena *a,
		       struct err *e)
{
	const char *state = pg_text(r, i, 1);
	int s = 0;

	while (s < N_STATUS && strcmp(status_names[s], state) != 0)
		s++;
	if (s == N_STATUS)
		return err_set(e, ERR_PROTO, "the database holds an unknown server state \"%s\"",
			       state);
	*v = (struct server_state){
		.state = (enum server_status)s,
		.since_s = pg_time(r, i, 2),
		.next_try_s = pg_time(r, i, 3),
		.queue = pg_i64(r, i, 5),
		.oldest_due_s = pg_time(r, i, 6),
		.in_flight = pg_i32(r, i, 7),
		.messages = pg_i64(r, i, 8),
		.message_ms = pg_i64(r, i, 9),
		.updated_at_s = pg_time(r, i, 10),
	};
	if (!store_keep_text(&v->name, a, r, i, 0) || !store_keep_text(&v->last_error, a, r, i, 4))
		return err_nomem(e);
	return 0;
}

int store_servers_get(struct pg *pg, struct server_state **out, size_t *n, struct arena *a,
		      struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	size_t i;
	int r = pg_query(&rows, pg, sql_server_get, NULL, e);

	if (r < 0)
		return r;
	*n = pg_rows_n(rows);
	*out = arena_array(a, *n + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	for (i = 0; i < *n && r == 0; i++)
		r = read_server(&(*out)[i], rows, i, a, e);
	return r;
}

/* ---- processes ----------------------------------------------------------------------------- */

static void arg_process(struct pg_args *a, const char *host, int32_t pid)
{
	struct utsname u;

	if (host == NULL)
		host = uname(&u) == 0 ? u.nodename : "localhost";
	pg_arg_text(a, host);
	pg_arg_i32(a, pid != 0 ? pid : (int32_t)getpid());
}

int store_role_put(struct pg *pg, const struct role_state *v, struct err *e)
{
	struct pg_args a;

	pg_args_init(&a);
	arg_process(&a, v->host, v->pid);
	pg_arg_text(&a, v->role);
	pg_arg_text(&a, v->of != NULL ? v->of : "");
	pg_arg_text(&a, v->state);
	pg_arg_text(&a, v->status);
	return run(pg, sql_role_put, &a, e);
}

int store_role_gone(struct pg *pg, struct err *e)
{
	struct pg_args a;

	pg_args_init(&a);
	arg_process(&a, NULL, 0);
	return run(pg, sql_role_gone, &a, e);
}

static int read_role(struct role_state *v, const struct pg_rows *r, size_t i, struct arena *a,
		     struct err *e)
{
	*v = (struct role_state){
		.pid = pg_i32(r, i, 1),
		.started_at_s = pg_time(r, i, 6),
		.alive_at_s = pg_time(r, i, 7),
	};
	if (!store_keep_text(&v->host, a, r, i, 0) || !store_keep_text(&v->role, a, r, i, 2) ||
	    !store_keep_text(&v->of, a, r, i, 3) || !store_keep_text(&v->state, a, r, i, 4) ||
	    !store_keep_text(&v->status, a, r, i, 5))
		return err_nomem(e);
	return 0;
}

int store_roles_get(struct pg *pg, struct role_state **out, size_t *n, struct arena *a,
		    struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	size_t i;
	int r = pg_query(&rows, pg, sql_role_get, NULL, e);

	if (r < 0)
		return r;
	*n = pg_rows_n(rows);
	*out = arena_array(a, *n + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	for (i = 0; i < *n && r == 0; i++)
		r = read_role(&(*out)[i], rows, i, a, e);
	return r;
}

/* ---- zones --------------------------------------------------------------------------------- */

int store_zone_hinted(struct pg *pg, int32_t zone_id, struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, zone_id);
	r = pg_run(pg, sql_zone_hinted, &a, e);
	pg_args_fini(&a);
	return r;
}

/* ---- passes -------------------------------------------------------------------------------- */

int store_fold_tally(struct pg *pg, struct err *e)
{
	return pg_run(pg, sql_tally_fold, NULL, e);
}

int store_pass_note(struct pg *pg, const struct pass_row *v, struct err *e)
{
	struct pg_args a;

	pg_args_init(&a);
	pg_arg_text(&a, v->verb);
	pg_arg_time(&a, v->began_s);
	pg_arg_time(&a, v->ended_s);
	pg_arg_i32(&a, v->exit);
	pg_arg_i64(&a, (int64_t)v->changed);
	pg_arg_i64(&a, (int64_t)v->refused);
	pg_arg_i64(&a, (int64_t)v->pending);
	pg_arg_i64(&a, (int64_t)v->held);
	pg_arg_i64(&a, (int64_t)v->conflicts);
	pg_arg_i64(&a, (int64_t)v->pulled);
	pg_arg_text(&a, v->error);
	return run(pg, sql_pass_put, &a, e);
}

static int read_pass(struct pass_row *v, const struct pg_rows *r, size_t i, struct arena *a,
		     struct err *e)
{
	*v = (struct pass_row){
		.began_s = pg_time(r, i, 1),
		.ended_s = pg_time(r, i, 2),
		.exit = pg_i32(r, i, 3),
		.changed = (uint64_t)pg_i64(r, i, 4),
		.refused = (uint64_t)pg_i64(r, i, 5),
		.pending = (uint64_t)pg_i64(r, i, 6),
		.held = (uint64_t)pg_i64(r, i, 7),
		.conflicts = (uint64_t)pg_i64(r, i, 8),
		.pulled = (uint64_t)pg_i64(r, i, 9),
	};
	if (!store_keep_text(&v->verb, a, r, i, 0) || !store_keep_text(&v->error, a, r, i, 10))
		return err_nomem(e);
	return 0;
}

int store_passes_get(struct pg *pg, struct pass_row **out, size_t *n, unsigned limit,
		     struct arena *a, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct pg_args args;
	size_t i;
	int r;

	pg_args_init(&args);
	pg_arg_i64(&args, limit);
	r = pg_query(&rows, pg, sql_pass_get, &args, e);
	pg_args_fini(&args);
	if (r < 0)
		return r;
	*n = pg_rows_n(rows);
	*out = arena_array(a, *n + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	for (i = 0; i < *n && r == 0; i++)
		r = read_pass(&(*out)[i], rows, i, a, e);
	return r;
}
