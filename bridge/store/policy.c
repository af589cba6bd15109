/* policy.c - what the configuration names, as rows with ids.
 *
 * Usually nothing has changed since the last start: then this only reads, one query a table.
 * Rows that are no longer configured stay, with the time since when; what hangs on them may
 * still be wanted for "why".
 */
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

/* One table: its three statements take the same arrays. */
struct table {
	const char *what;
	const char *ids;   /* a row for each given thing, in order: id or NULL, rows not gone */
	const char *put;
	const char *gone;
	void (*args)(struct pg_args *a, const struct policy *p);
	size_t (*count)(const struct policy *p);
	void (*take)(struct policy *p, size_t i, int32_t id);
};

static void elem_text(struct pg_args *a, const char *s)
{
	pg_elem_text(a, s, strlen(s));
}

static void elem_id(struct pg_args *a, int32_t id)
{
	if (id == 0)
		pg_elem_null(a);
	else
		pg_elem_i32(a, id);
}

/* ---- spaces -------------------------------------------------------------------------------- */

static size_t space_count(const struct policy *p)
{
	return p->n_spaces;
}

static void space_args(struct pg_args *a, const struct policy *p)
{
	size_t i;

	PG_COLUMN(a, PG_TEXT, i, p->n_spaces, elem_text(a, p->spaces[i].name));
}

static void space_take(struct policy *p, size_t i, int32_t id)
{
	p->spaces[i].id = id;
}

/* ---- zones --------------------------------------------------------------------------------- */

static void zone_args(struct pg_args *a, const struct policy *p)
{
	size_t n = policy_n_zones(p), i, k;

	pg_arg_array(a, PG_INT4, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_zones; k++)
			pg_elem_i32(a, p->spaces[i].id);
	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_zones; k++)
			store_elem_name(a, &p->spaces[i].zones[k].name);
	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_zones; k++)
			elem_text(a, p->spaces[i].zones[k].view == NULL
					     ? "" : p->spaces[i].zones[k].view);
	pg_arg_array(a, PG_BOOL, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_zones; k++)
			pg_elem_bool(a, p->spaces[i].zones[k].is_reverse);
}

static void zone_take(struct policy *p, size_t i, int32_t id)
{
	struct policy_space *s = p->spaces;

	for (; i >= s->n_zones; s++)
		i -= s->n_zones;
	s->zones[i].id = id;
}

/* ---- subnets ------------------------------------------------------------------------------- */

static size_t subnet_count(const struct policy *p)
{
	size_t n = 0, i;

	for (i = 0; i < p->n_spaces; i++)
		n += p->spaces[i].n_subnets;
	return n;
}

static void subnet_args(struct pg_args *a, const struct policy *p)
{
	size_t n = subnet_count(p), i, k;

	pg_arg_array(a, PG_INT4, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_subnets; k++)
			pg_elem_i32(a, p->spaces[i].id);
	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < p->n_spaces; i++) {
		for (k = 0; k < p->spaces[i].n_subnets; k++) {
			char text[PREFIX_TEXT];

			elem_text(a, prefix_print(text, &p->spaces[i].subnets[k].prefix));
		}
	}
	pg_arg_array(a, PG_INT4, n);
	for (i = 0; i < p->n_spaces; i++) {
		for (k = 0; k < p->spaces[i].n_subnets; k++) {
			const struct policy_subnet *s = &p->spaces[i].subnets[k];

			elem_id(a, s->n_zones == 0 ? 0 : s->zones[0]->id);
		}
	}
	pg_arg_array(a, PG_INT4, n);
	for (i = 0; i < p->n_spaces; i++) {
		for (k = 0; k < p->spaces[i].n_subnets; k++) {
			const struct policy_subnet *s = &p->spaces[i].subnets[k];

			elem_id(a, s->reverse == NULL ? 0 : s->reverse->id);
		}
	}
}

static void subnet_take(struct policy *p, size_t i, int32_t id)
{
	struct policy_space *s = p->spaces;

	for (; i >= s->n_subnets; s++)
		i -= s->n_subnets;
	s->subnets[i].id = id;
}

/* ---- sources ------------------------------------------------------------------------------- */

static size_t source_count(const struct policy *p)
{
	size_t n = 0, i;

	for (i = 0; i < p->n_spaces; i++)
		n += p->spaces[i].n_sources;
	return n;
}

static void source_args(struct pg_args *a, const struct policy *p)
{
	size_t n = source_count(p), i, k;

	pg_arg_array(a, PG_INT4, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_sources; k++)
			pg_elem_i32(a, p->spaces[i].id);
	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_sources; k++)
			elem_text(a, p->spaces[i].sources[k].name);
	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_sources; k++)
			elem_text(a, p->spaces[i].sources[k].type == NULL
					     ? "" : p->spaces[i].sources[k].type);
	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < p->n_spaces; i++)
		for (k = 0; k < p->spaces[i].n_sources; k++)
			elem_text(a, obs_kind_name(p->spaces[i].sources[k].kind));
}

static void source_take(struct policy *p, size_t i, int32_t id)
{
	struct policy_space *s = p->spaces;

	for (; i >= s->n_sources; s++)
		i -= s->n_sources;
	s->sources[i].id = id;
}

/* ---- all of them --------------------------------------------------------------------------- */

/* In this order: later ones refer to the ids of earlier ones. */
static const struct table tables[] = {
	{"spaces", sql_space_ids, sql_space_sync, sql_space_gone, space_args, space_count,
	 space_take},
	{"zones", sql_zone_ids, sql_zone_sync, sql_zone_gone, zone_args, policy_n_zones, zone_take},
	{"subnets", sql_subnet_ids, sql_subnet_sync, sql_subnet_gone, subnet_args, subnet_count,
	 subnet_take},
	{"sources", sql_source_ids, sql_source_sync, sql_source_gone, source_args, source_count,
	 source_take},
};

/* 0: every id is known and nothing else is there, 1: something has changed. */
static int read_ids(struct store *s, const struct table *t, struct policy *p,
		    const struct pg_args *a, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	size_t n = t->count(p), i;
	int r = pg_query(&rows, s->pg, t->ids, a, e);

	if (r < 0)
		return r;
	if (pg_rows_n(rows) != n + 1)
		return err_set(e, ERR_PROTO, "the database knows some %s twice", t->what);
	/* The last row is the number of rows that are not gone. */
	r = pg_i64(rows, n, 0) != (int64_t)n;
	for (i = 0; i < n; i++) {
		if (pg_is_null(rows, i, 0))
			r = 1;
		else
			t->take(p, i, pg_i32(rows, i, 0));
	}
	return r;
}

static int sync_table(struct store *s, const struct table *t, struct policy *p,
		      const struct pg_args *a, struct err *e)
{
	int r = read_ids(s, t, p, a, e);

	if (r <= 0)
		return r;
	r = pg_run(s->pg, t->put, a, e);
	if (r == 0)
		r = pg_run(s->pg, t->gone, a, e);
	if (r == 0)
		r = read_ids(s, t, p, a, e);
	if (r > 0)
		r = err_set(e, ERR_BUSY, "another process changed the %s at the same time", t->what);
	return r < 0 ? err_in(e, r, "writing the configured %s to the database", t->what) : 0;
}

static int sync_all(struct store *s, struct policy *p, struct err *e)
{
	bool mine;
	size_t i;
	int r = store_atomic_begin(s, &mine, e);

	if (r < 0)
		return r;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]) && r == 0; i++) {
		struct pg_args a;

		pg_args_init(&a);
		tables[i].args(&a, p);
		r = sync_table(s, &tables[i], p, &a, e);
		pg_args_fini(&a);
	}
	return store_atomic_end(s, mine, r, e);
}

/* The processes of a daemon come all at once, and commands beside them: one after the other, each
 * sees what the one before has committed. */
int store_sync_policy(struct store *s, struct policy *p, struct err *e)
{
	int r = store_lock_sync(s, e);

	if (r < 0)
		return r;
	r = sync_all(s, p, e);
	store_unlock_sync(s);
	return r;
}
