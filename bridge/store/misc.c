/* misc.c - single rows of sources, zones and brakes, and the totals. */
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

/* One row by its id. */
static int get_row(struct pg_rows **out, struct store *s, const char *sql, const char *what,
		   int32_t id, struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, id);
	r = pg_query(out, s->pg, sql, &a, e);
	pg_args_fini(&a);
	if (r == 0 && pg_rows_n(*out) != 1)
		r = err_set(e, ERR_BUG, "%s %d is not in the database", what, (int)id);
	return r;
}

static int flow_source_get(void *ctx, struct source_row *out, struct arena *a, int32_t id,
			   struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int r = get_row(&rows, ctx, sql_source_get, "source", id, e);

	if (r < 0)
		return r;
	*out = (struct source_row){
		.id = id,
		.last_ok_s = pg_time(rows, 0, 1),
		.last_try_s = pg_time(rows, 0, 2),
		.rows = (uint64_t)pg_i64(rows, 0, 4),
		.bad = (uint64_t)pg_i64(rows, 0, 5),
		.whole_wanted = pg_i32(rows, 0, 6),
		.whole_done = pg_i32(rows, 0, 7),
	};
	if (!store_keep_text(&out->cursor, a, rows, 0, 0) ||
	    !store_keep_text(&out->last_error, a, rows, 0, 3))
		return err_nomem(e);
	return 0;
}

static int flow_sources_gone(void *ctx, struct source_gone **out, size_t *n, struct arena *a,
			     struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct store *s = ctx;
	size_t i;
	int r = pg_query(&rows, s->pg, sql_sources_gone, NULL, e);

	if (r < 0)
		return r;
	*n = pg_rows_n(rows);
	*out = arena_array(a, *n + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	for (i = 0; i < *n; i++) {
		struct source_gone *g = &(*out)[i];

		g->id = pg_i32(rows, i, 0);
		g->space_id = pg_i32(rows, i, 1);
		g->gone_at_s = pg_time(rows, i, 3);
		if (!store_keep_text(&g->name, a, rows, i, 2))
			return err_nomem(e);
	}
	return 0;
}

static struct source_clock *clock_of(struct source_clock *v, size_t n, int32_t id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i].id == id)
			return &v[i];
	return NULL;
}

static void note_due(struct source_clock *v, size_t n, bool *gone, const struct pg_rows *rows)
{
	size_t i;

	*gone = false;
	for (i = 0; i < n; i++)
		v[i].due = false;
	for (i = 0; i < pg_rows_n(rows); i++) {
		struct source_clock *c = clock_of(v, n, pg_i32(rows, i, 0));

		if (c == NULL)
			*gone = true;
		else
			c->due = true;
	}
}

static int flow_sources_due(void *ctx, struct source_clock *v, size_t n, int64_t now_s,
			    bool held_too, bool *gone, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct store *s = ctx;
	struct pg_args a;
	size_t i;
	int r;

	pg_args_init(&a);
	PG_COLUMN(&a, PG_INT4, i, n, pg_elem_i32(&a, v[i].id));
	PG_COLUMN(&a, PG_INT8, i, n, pg_elem_i64(&a, v[i].stale_after_s));
	pg_arg_time(&a, now_s);
	pg_arg_bool(&a, held_too);
	r = pg_query(&rows, s->pg, sql_sources_due, &a, e);
	pg_args_fini(&a);
	if (r == 0)
		note_due(v, n, gone, rows);
	return r;
}

static int flow_source_put(void *ctx, const struct source_row *row, struct err *e)
{
	struct store *s = ctx;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, row->id);
	pg_arg_text(&a, row->cursor);
	pg_arg_time(&a, row->last_ok_s);
	pg_arg_time(&a, row->last_try_s);
	pg_arg_text(&a, row->last_error);
	pg_arg_i64(&a, (int64_t)row->rows);
	pg_arg_i64(&a, (int64_t)row->bad);
	pg_arg_i32(&a, row->whole_done);
	r = pg_run_later(s->pg, sql_source_put, &a, e);
	pg_args_fini(&a);
	return r;
}

static int flow_zone_get(void *ctx, struct zone_row *out, struct arena *a, int32_t id,
			 struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int r = get_row(&rows, ctx, sql_zone_get, "zone", id, e);

	if (r < 0)
		return r;
	*out = (struct zone_row){
		.id = id,
		.known = pg_bool(rows, 0, 0),
		.serial = store_u32(rows, 0, 1),
		.pulled_at_s = pg_time(rows, 0, 2),
		.full_at_s = pg_time(rows, 0, 3),
		.read_at_s = pg_time(rows, 0, 5),
		.sent_known = !pg_is_null(rows, 0, 6),
		.asked = pg_bool(rows, 0, 7),
		.restored = pg_bool(rows, 0, 8),
	};
	if (out->sent_known)
		out->sent_serial = store_u32(rows, 0, 6);
	return store_keep_text(&out->last_error, a, rows, 0, 4) ? 0 : err_nomem(e);
}

static int flow_zone_put(void *ctx, const struct zone_row *row, struct err *e)
{
	struct store *s = ctx;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, row->id);
	pg_arg_bool(&a, row->known);
	pg_arg_i64(&a, row->serial);
	pg_arg_time(&a, row->pulled_at_s);
	pg_arg_time(&a, row->full_at_s);
	pg_arg_text(&a, row->last_error);
	pg_arg_time(&a, row->read_at_s);
	pg_arg_bool(&a, row->asked);
	pg_arg_bool(&a, row->restored);
	r = pg_run_later(s->pg, sql_zone_put, &a, e);
	pg_args_fini(&a);
	return r;
}

static int flow_zones_looked(void *ctx, struct zone_look *v, size_t n, int64_t at_s,
			     int64_t full_s, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct store *s = ctx;
	struct pg_args a;
	size_t i, k;
	int r;

	pg_args_init(&a);
	PG_COLUMN(&a, PG_INT4, i, n, pg_elem_i32(&a, v[i].id));
	PG_COLUMN(&a, PG_INT8, i, n, pg_elem_i64(&a, v[i].serial));
	pg_arg_time(&a, at_s);
	pg_arg_time(&a, full_s);
	r = pg_query(&rows, s->pg, sql_zones_looked, &a, e);
	pg_args_fini(&a);
	for (i = 0; r == 0 && i < n; i++) {
		v[i].current = false;
		for (k = 0; k < pg_rows_n(rows); k++)
			v[i].current = v[i].current || pg_i32(rows, k, 0) == v[i].id;
	}
	return r;
}

static int flow_zone_sent(void *ctx, int32_t id, uint32_t serial, bool anew, struct err *e)
{
	struct store *s = ctx;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, id);
	pg_arg_i64(&a, serial);
	pg_arg_bool(&a, anew);
	r = pg_run_later(s->pg, sql_zone_sent, &a, e);
	pg_args_fini(&a);
	return r;
}

static int flow_zone_queue(void *ctx, struct zone_queue *out, int32_t zone_id, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct store *s = ctx;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, zone_id);
	r = pg_query(&rows, s->pg, sql_zone_queue, &a, e);
	pg_args_fini(&a);
	if (r == 0)
		*out = (struct zone_queue){(uint64_t)pg_i64(rows, 0, 0), pg_time(rows, 0, 1)};
	return r;
}

static int flow_brake_get(void *ctx, struct brake *out, int32_t zone_id, int32_t source_id,
			  struct err *e)
{
	struct store *s = ctx;
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct pg_args a;
	int r;

	memset(out, 0, sizeof(*out));
	pg_args_init(&a);
	pg_arg_i32(&a, zone_id);
	pg_arg_i32(&a, source_id);
	r = pg_query(&rows, s->pg, sql_brake_get, &a, e);
	pg_args_fini(&a);
	if (r < 0 || pg_rows_n(rows) == 0)
		return r;
	out->window_s = pg_time(rows, 0, 0);
	out->names = store_u32(rows, 0, 1);
	out->used = store_u32(rows, 0, 2);
	return 0;
}

static int flow_brake_put(void *ctx, const struct brake *b, int32_t zone_id, int32_t source_id,
			  struct err *e)
{
	struct store *s = ctx;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, zone_id);
	pg_arg_i32(&a, source_id);
	pg_arg_time(&a, b->window_s);
	pg_arg_i64(&a, b->names);
	pg_arg_i64(&a, b->used);
	r = pg_run_later(s->pg, sql_brake_put, &a, e);
	pg_args_fini(&a);
	return r;
}

static int flow_totals(void *ctx, struct store_totals *out, struct err *e)
{
	struct store *s = ctx;
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	size_t i;
	int r = pg_query(&rows, s->pg, sql_totals, NULL, e);

	memset(out, 0, sizeof(*out));
	if (r < 0)
		return r;
	for (i = 0; i < pg_rows_n(rows); i++) {
		const char *what = pg_text(rows, i, 0);
		uint64_t n = (uint64_t)pg_i64(rows, i, 1);
		enum belief_state st;

		if (strcmp(what, "held") == 0)
			out->held = n;
		else if (belief_state_parse(&st, what, strlen(what)))
			out->owners[st] = n;
	}
	return 0;
}

void store_bind_misc(struct flow_store *f)
{
	f->source_get = flow_source_get;
	f->source_put = flow_source_put;
	f->sources_due = flow_sources_due;
	f->sources_gone = flow_sources_gone;
	f->zone_get = flow_zone_get;
	f->zone_put = flow_zone_put;
	f->zones_looked = flow_zones_looked;
	f->zone_sent = flow_zone_sent;
	f->zone_queue = flow_zone_queue;
	f->brake_get = flow_brake_get;
	f->brake_put = flow_brake_put;
	f->totals = flow_totals;
}
