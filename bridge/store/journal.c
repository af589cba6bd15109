/* journal.c - journal lines wait until their transaction is committed, or somebody reads them, and
 * are then written in one COPY, or one statement when they are few: planning gives them one by one,
 * and a round trip for each would be most of a pass.
 */
#include <stddef.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

/* So many may wait: it bounds the memory of a transaction. */
enum { LINES_MAX = 5000, LINES_FEW = 50 };

void store_journal_forget(struct store *s)
{
	s->lines.n = 0;
	arena_reset(&s->lines_arena);
}

/* A number, or NULL where it stands for none. */
static void copy_i32(struct pg *p, int32_t v, bool none)
{
	if (none)
		pg_copy_null(p);
	else
		pg_copy_i32(p, v);
}

/* In the order of journal.sql. */
static int copy_line(struct pg *p, const void *lines, size_t i)
{
	const struct store_line *l = (const struct store_line *)lines + i;

	pg_copy_row(p, 10);
	pg_copy_time(p, l->at_s);
	copy_i32(p, l->space_id, l->space_id == 0);
	copy_i32(p, l->zone_id, l->zone_id == 0);
	store_copy_text(p, l->owner);
	pg_copy_inet(p, l->addr);
	store_copy_text(p, l->event);
	store_copy_text(p, l->before);
	store_copy_text(p, l->after);
	copy_i32(p, l->rcode, l->rcode < 0);
	store_copy_text(p, l->why);
	return 0;
}

static void elem_i32(struct pg_args *a, int32_t v, bool null)
{
	if (null)
		pg_elem_null(a);
	else
		pg_elem_i32(a, v);
}

static void put_numbers(struct pg_args *a, const struct store_line *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i].at_s));
	PG_COLUMN(a, PG_INT4, i, n, elem_i32(a, v[i].space_id, v[i].space_id == 0));
	PG_COLUMN(a, PG_INT4, i, n, elem_i32(a, v[i].zone_id, v[i].zone_id == 0));
}

static void put_text(struct pg_args *a, const struct store_line *v, size_t n, size_t offset)
{
	size_t i;

	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < n; i++) {
		const char *text = *(const char *const *)((const char *)&v[i] + offset);

		pg_elem_text(a, text, text == NULL ? 0 : strlen(text));
	}
}

static void put_addresses(struct pg_args *a, const struct store_line *v, size_t n)
{
	size_t i;

	pg_arg_array(a, PG_INET, n);
	for (i = 0; i < n; i++) {
		if (v[i].addr != NULL)
			pg_elem_inet(a, v[i].addr);
		else
			pg_elem_null(a);
	}
}

/* Few lines go with the other statements of their transaction; a COPY would wait three times. */
static int write_few(struct store *s, struct err *e)
{
	const struct store_line *v = s->lines.v;
	size_t n = s->lines.n, i;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	put_numbers(&a, v, n);
	put_text(&a, v, n, offsetof(struct store_line, owner));
	put_addresses(&a, v, n);
	put_text(&a, v, n, offsetof(struct store_line, event));
	put_text(&a, v, n, offsetof(struct store_line, before));
	put_text(&a, v, n, offsetof(struct store_line, after));
	PG_COLUMN(&a, PG_INT4, i, n, elem_i32(&a, v[i].rcode, v[i].rcode < 0));
	put_text(&a, v, n, offsetof(struct store_line, why));
	r = pg_run_later(s->pg, sql_journal_few, &a, e);
	pg_args_fini(&a);
	store_journal_forget(s);
	return r;
}

int store_journal_flush(struct store *s, struct err *e)
{
	int r;

	if (s->lines.n == 0)
		return 0;
	if (s->in_tx && s->lines.n <= LINES_FEW)
		return write_few(s, e);
	r = pg_copy_begin(s->pg, sql_journal, e);
	if (r < 0)
		return r;
	r = store_copy_rows(s, s->lines.n, copy_line, s->lines.v, e);
	store_journal_forget(s);
	return r;
}

/* *out: a copy, or NULL for NULL.  False: no memory. */
static bool keep(const char **out, struct arena *a, const char *text)
{
	*out = text == NULL ? NULL : arena_strdup(a, text);
	return *out != NULL || text == NULL;
}

static bool keep_subject(struct store_line *l, struct arena *a, const struct journal_line *v)
{
	char text[DNAME_TEXT];
	bool named = v->owner != NULL && v->owner->len > 0;

	l->addr = v->addr == NULL ? NULL : arena_dup(a, v->addr, sizeof(*v->addr));
	return (l->addr != NULL || v->addr == NULL) &&
	       keep(&l->owner, a, named ? dname_print(text, v->owner) : NULL);
}

static int add(struct store *s, const struct journal_line *v, struct err *e)
{
	struct store_line l = {.at_s = v->at_s, .space_id = v->space_id, .zone_id = v->zone_id,
			       .rcode = v->rcode};
	struct arena *a = &s->lines_arena;

	if (!keep_subject(&l, a, v) || !keep(&l.event, a, v->event) ||
	    !keep(&l.before, a, v->before) || !keep(&l.after, a, v->after) ||
	    !keep(&l.why, a, v->why) || vec_push(&s->lines, l) < 0)
		return err_nomem(e);
	return s->lines.n < LINES_MAX ? 0 : store_journal_flush(s, e);
}

static int flow_journal(void *ctx, const struct journal_line *v, size_t n, struct err *e)
{
	struct store *s = ctx;
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++)
		r = add(s, &v[i], e);
	/* Without a transaction nobody would come to write them. */
	return r == 0 && !s->in_tx ? store_journal_flush(s, e) : r;
}

/* ---- reading ------------------------------------------------------------------------------- */

static int query_last(struct pg_rows **out, struct store *s, const struct zone_key *keys, size_t n,
		      struct err *e)
{
	struct pg_args args;
	size_t i;
	int r;

	pg_args_init(&args);
	PG_COLUMN(&args, PG_INT4, i, n, pg_elem_i32(&args, keys[i].zone_id));
	PG_COLUMN(&args, PG_TEXT, i, n, store_elem_name(&args, &keys[i].owner));
	pg_arg_i64(&args, RESTORED_LINES_MAX);
	r = pg_plan_for(s->pg, n, e);
	r = r < 0 ? r : pg_query(out, s->pg, sql_journal_last, &args, e);
	pg_args_fini(&args);
	return r;
}

static int flow_journal_last(void *ctx, struct past_line **out, size_t *n,
			     const struct zone_key *keys, size_t n_keys, struct arena *a,
			     struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct past_line *v;
	size_t k, i;
	int r;

	*out = NULL;
	*n = 0;
	if (n_keys == 0)
		return 0;
	r = store_journal_flush(ctx, e);
	r = r < 0 ? r : query_last(&rows, ctx, keys, n_keys, e);
	if (r < 0)
		return r;
	k = pg_rows_n(rows);
	v = arena_array(a, k + 1, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	for (i = 0; i < k; i++) {
		v[i].key = (size_t)pg_i32(rows, i, 0) - 1;
		if (!store_keep_text(&v[i].event, a, rows, i, 1) ||
		    !store_keep_text(&v[i].before, a, rows, i, 2) ||
		    !store_keep_text(&v[i].after, a, rows, i, 3))
			return err_nomem(e);
	}
	*out = v;
	*n = k;
	return 0;
}

void store_bind_journal(struct flow_store *f)
{
	f->journal = flow_journal;
	f->journal_last = flow_journal_last;
}
