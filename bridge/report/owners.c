/* owners.c - rows of table owner as beliefs.  See owners.h. */

#include "bridge/report/owners.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/base/own.h"
#include "sql.h"

enum { OFFER_SEPARATOR = 30 };

static int parse_set(struct rrs *out, struct arena *a, const char *text, size_t len,
		     const char *owner, struct err *e)
{
	int r = rrs_parse(out, a, text, len, e);
	return r < 0 ? err_in(e, r, "owner \"%s\" in the database", owner) : 0;
}

/* The database joins them with a character that record sets do not have. */
static int parse_offers(struct belief *b, struct arena *a, int32_t n, const char *text,
			const char *owner, struct err *e)
{
	for (int32_t i = 0; i < n && b->n_offered < BELIEF_OFFERED_MAX; i++) {
		const char *end = strchrnul(text, OFFER_SEPARATOR);
		int r = belief_parse_offer(b, a, text, (size_t)(end - text), e);
		if (r < 0)
			return err_in(e, r, "owner \"%s\" in the database", owner);
		text = end + (*end != '\0');
	}
	return 0;
}

static int parse_sets(struct belief *b, struct arena *a, const struct pg_rows *r, size_t i,
		      struct err *e)
{
	const char *owner = pg_text(r, i, 1);
	struct {
		int col;
		struct rrs *to;
	} set[] = {{3, &b->want}, {4, &b->published}, {7, &b->seen}};
	for (size_t k = 0; k < 3; k++) {
		const char *t = pg_text(r, i, set[k].col);
		int rc = parse_set(set[k].to, a, t, strlen(t), owner, e);
		if (rc < 0)
			return rc;
	}
	return parse_offers(b, a, pg_i32(r, i, 5), pg_text(r, i, 6), owner, e);
}

static int parse_row(struct belief *b, struct arena *a, const struct pg_rows *r, size_t i,
		     struct err *e)
{
	enum belief_state state;
	enum obs_kind kind = OBS_LEASE;
	const char *owner = pg_text(r, i, 1);
	const char *st = pg_text(r, i, 2), *kd = pg_text(r, i, 9);
	*b = (struct belief){.zone_id = pg_i32(r, i, 0)};
	if (!dname_parse(&b->owner, owner, strlen(owner)) ||
	    !belief_state_parse(&state, st, strlen(st)))
		return err_set(e, ERR_PROTO, "owner \"%s\" in the database is malformed", owner);
	obs_kind_parse(&kind, kd, strlen(kd));
	b->state = (uint8_t)state;
	b->want_kind = (uint8_t)kind;
	b->seen_known = pg_bool(r, i, 8);
	b->want_ttl_s = (uint32_t)pg_i64(r, i, 10);
	b->sent_ttl_s = (uint32_t)pg_i64(r, i, 11);
	b->removed_at_s = pg_time(r, i, 12);
	b->reverts = (uint32_t)pg_i32(r, i, 13);
	b->due_at_s = pg_time(r, i, 14);
	b->attempts = (uint32_t)pg_i32(r, i, 15);
	b->why = pg_text(r, i, 16);
	enum belief_decision decided;
	if (!pg_is_null(r, i, 17) &&
	    belief_decision_parse(&decided, pg_text(r, i, 17), strlen(pg_text(r, i, 17))))
		b->decided = (uint8_t)decided;
	return parse_sets(b, a, r, i, e);
}

static int hand_out(struct pg_rows *r, const struct policy *p, report_owner_cb cb, void *arg,
		    struct err *e)
{
	struct arena a = ARENA_INIT;
	struct report_owner row;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < pg_rows_n(r); i++) {
		const struct policy_space *space;
		row.zone = policy_zone_by_id(p, pg_i32(r, i, 0), &space);
		if (row.zone == NULL)
			continue;
		row.space = space->name;
		arena_reset(&a);
		rc = parse_row(&row.belief, &a, r, i, e);
		if (rc == 0)
			cb(arg, &row);
	}
	arena_fini(&a);
	return rc;
}

static int ask(struct pg *pg, const char *sql, const struct policy *p,
	       const struct report_filter *f, const char *const *words, size_t n,
	       report_owner_cb cb, void *arg, struct err *e)
{
	struct pg_args a;
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	pg_args_init(&a);
	pg_arg_text(&a, f->space);
	pg_arg_text(&a, f->view);
	pg_arg_texts(&a, words, n);
	int rc = pg_query(&r, pg, sql, &a, e);
	pg_args_fini(&a);
	return rc < 0 ? rc : hand_out(r, p, cb, arg, e);
}

int report_owners_in(struct pg *pg, const struct policy *p, const struct report_filter *f,
		     const enum belief_state *states, size_t n_states, report_owner_cb cb,
		     void *arg, struct err *e)
{
	const char *names[BELIEF_STATES];
	for (size_t i = 0; i < n_states; i++)
		names[i] = belief_state_name(states[i]);
	return ask(pg, sql_report_owners_in, p, f, names, n_states, cb, arg, e);
}

int report_owners_named(struct pg *pg, const struct policy *p, const struct report_filter *f,
			const struct dname *names, size_t n_names, report_owner_cb cb, void *arg,
			struct err *e)
{
	struct arena a = ARENA_INIT;
	int rc = 0;
	const char **text = arena_array(&a, n_names + 1, sizeof(*text));
	for (size_t i = 0; text != NULL && i < n_names; i++) {
		char t[DNAME_TEXT];
		text[i] = arena_strdup(&a, dname_print(t, &names[i]));
		if (text[i] == NULL)
			rc = err_nomem(e);
	}
	if (text == NULL)
		rc = err_nomem(e);
	if (rc == 0)
		rc = ask(pg, sql_report_owners_named, p, f, text, n_names, cb, arg, e);
	arena_fini(&a);
	return rc;
}

static size_t add_type(uint16_t out[REPORT_TYPES_MAX], size_t n, uint16_t type)
{
	size_t at = n;
	if (!rrtype_has(type, RRTYPE_MANAGED))
		return n;
	while (at > 0 && out[at - 1] >= type)
		at--;
	if ((at < n && out[at] == type) || n == REPORT_TYPES_MAX)
		return n;
	memmove(out + at + 1, out + at, (n - at) * sizeof(*out));
	out[at] = type;
	return n + 1;
}

size_t report_types(uint16_t out[REPORT_TYPES_MAX], const struct rrs *a, const struct rrs *b)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n; i++)
		n = add_type(out, n, a->v[i].type);
	for (size_t i = 0; i < b->n; i++)
		n = add_type(out, n, b->v[i].type);
	return n;
}
