/* decide.c - see decide.h. */

#include "bridge/cli/decide.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/cli/output.h"
#include "bridge/core/verdict.h"
#include "bridge/flow/decide.h"

/* What is decided about in one space. */
struct share {
	const struct policy_space *space;
	struct owner_keys keys;
	struct decision *v;
};

struct deal {
	struct cli *c;
	struct pass p;
	enum decide_verb verb;
	bool pattern;              /* what was typed is one */
	struct share *shares;      /* of each space of the configuration */
	size_t n_shares;
	size_t n_done, n_known, n_impossible;
	struct arena arena;
};

static void deal_fini(struct deal *d)
{
	for (size_t i = 0; i < d->n_shares; i++)
		vec_fini(&d->shares[i].keys.v);
	arena_fini(&d->arena);
	pass_end(&d->p);
}

/* ---- which owners ----------------------------------------------------------------------- */

static bool in_view(const struct deal *d, const struct policy_zone *z)
{
	return d->c->view == NULL || strcmp(d->c->view, z->view) == 0;
}

/* The owner in each zone that is its own: one, or one in each view. */
static int add_owner(struct deal *d, struct share *s, const struct dname *owner, bool reverse,
		     struct err *e)
{
	const struct policy_zone *own = policy_zone_of(s->space, owner, reverse);
	for (size_t i = 0; own != NULL && i < s->space->n_zones; i++) {
		const struct policy_zone *z = &s->space->zones[i];
		struct zone_key k = {z->id, *owner};
		if (!dname_equal(&z->name, &own->name) || !in_view(d, z))
			continue;
		if (vec_push(&s->keys.v, k) < 0)
			return err_nomem(e);
	}
	return 0;
}

/* A name typed without its zone is looked for in every forward zone. */
static int add_label(struct deal *d, struct share *s, const struct dname *n, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->space->n_zones; i++) {
		struct dname full;
		const struct policy_zone *z = &s->space->zones[i];
		struct zone_key k = {z->id, {0}};
		if (z->is_reverse || !in_view(d, z) ||
		    !dname_prepend(&full, n->b + 1, n->b[0], &z->name))
			continue;
		k.owner = full;
		r = vec_push(&s->keys.v, k) < 0 ? err_nomem(e) : 0;
	}
	return r;
}

static int add_matching(struct deal *d, struct share *s, const char *pattern, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->space->n_zones; i++) {
		if (in_view(d, &s->space->zones[i]))
			r = decide_match(&s->keys, d->p.flow, &s->space->zones[i], pattern, e);
	}
	return r;
}

static int add_exact(struct deal *d, struct share *s, const char *text, struct err *e)
{
	struct ipaddr a;
	struct dname n;
	if (ipaddr_parse(&a, text, strlen(text))) {
		policy_ptr_name(&n, s->space, &a);
		return add_owner(d, s, &n, true, e);
	}
	if (!dname_parse(&n, text, strlen(text)))
		return err_set(e, ERR_CONF, "\"%.64s\" is neither a name nor an address", text);
	if (dname_labels(&n) == 1)
		return add_label(d, s, &n, e);
	int r = add_owner(d, s, &n, false, e);
	return r < 0 ? r : add_owner(d, s, &n, true, e);
}

/* Names are kept in lower case, without the final dot. */
static int plain(char out[DNAME_TEXT], const char *typed, struct err *e)
{
	size_t n = strlen(typed);
	if (n == 0 || n >= DNAME_TEXT)
		return err_set(e, ERR_CONF, "\"%.64s\" is neither a name nor an address", typed);
	for (size_t i = 0; i <= n; i++)
		out[i] = (char)tolower((unsigned char)typed[i]);
	if (n > 1 && out[n - 1] == '.' && out[n - 2] != '\\')
		out[n - 1] = '\0';
	return 0;
}

static int find(struct deal *d, struct err *e)
{
	char text[DNAME_TEXT];
	const struct policy *policy = once_policy(d->p.s.once);
	int r = plain(text, d->c->arg[0], e);
	d->shares = arena_array(&d->arena, policy->n_spaces, sizeof(*d->shares));
	if (r == 0 && d->shares == NULL)
		return err_nomem(e);
	for (; r == 0 && d->n_shares < policy->n_spaces; d->n_shares++) {
		struct share *s = &d->shares[d->n_shares];
		s->space = &policy->spaces[d->n_shares];
		if (d->c->space != NULL && strcmp(d->c->space, s->space->name) != 0)
			continue;
		r = d->pattern ? add_matching(d, s, text, e) : add_exact(d, s, text, e);
	}
	return r;
}

/* ---- the plan ---------------------------------------------------------------------------- */

static const struct out_col cols[] = {
    {"space", NULL, 0},      {"view", NULL, 0},          {"zone", NULL, 0},
    {"owner", "OWNER", 0},   {"action", "ACTION", 0},    {"wanted", "WANTED", 0},
    {"published", "OURS", 0}, {"seen", "SEEN", 0},       {"ours_then", "OURS THEN", 0},
    {"state_then", "STATE THEN", 0}, {"adds", "ADDS", 0}, {"replaces", "REPLACES", 0},
    {"why", "WHY", OUT_WRAP},
};

static json_t *missing_in(const struct rrs *in, const struct rrs *of)
{
	struct arena a = ARENA_INIT;
	struct rrs left = {NULL, 0};
	int r = 0;
	for (size_t i = 0; r == 0 && i < of->n; i++) {
		const struct rr *v = &of->v[i];
		if (!rrs_has(in, v))
			r = rrs_add(&left, &a, v->type, v->rdata, v->rdlen);
	}
	json_t *j = r < 0 ? NULL : js_rrs(&left, 0);
	arena_fini(&a);
	return j;
}

/* What is sent because of it. */
static void changes(struct deal *d, struct out *o, const struct decision *x)
{
	struct verdict v;
	if (x->is.state != BELIEF_DUE ||
	    verdict_owner(&v, &d->arena, &x->is, x->zone->foreign, true) < 0) {
		out_cell(o, json_array());
		out_cell(o, json_array());
		return;
	}
	out_cell(o, missing_in(&v.base, &v.target));
	out_cell(o, missing_in(&v.target, &v.base));
}

static void row(struct deal *d, struct out *o, const struct share *s, const struct decision *x)
{
	out_cell(o, js_text(s->space->name));
	out_cell(o, js_text(x->zone->view));
	out_cell(o, js_text(x->zone->text));
	out_cell(o, js_name(&x->was.owner));
	out_cell(o, js_text(decide_name(d->verb)));
	out_cell(o, js_rrs(&x->was.want, 0));
	out_cell(o, js_rrs(&x->was.published, 0));
	out_cell(o, js_rrs(&x->was.seen, 0));
	out_cell(o, js_rrs(&x->is.published, 0));
	out_cell(o, js_text(belief_state_name(x->is.state)));
	changes(d, o, x);
	out_cell(o, js_text_or(x->is.why, NULL));
}

static bool is_known(const struct decision *x)
{
	return !belief_is_empty(&x->was);
}

/* Why nothing is done about one owner; a pattern meets many of which that is only natural. */
static void say_not(struct deal *d, const struct decision *x)
{
	char owner[DNAME_TEXT];
	struct buf b = BUF_INIT;
	if (!is_known(x) || (d->pattern && x->outcome == DECIDE_NOTHING))
		return;
	buf_printf(&b, "%s: %s", dname_print(owner, &x->was.owner), x->why);
	cli_message(d->c->verb->name, buf_text(&b));
	buf_fini(&b);
}

static int decide_all(struct deal *d, bool keep, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < d->n_shares; i++) {
		struct share *s = &d->shares[i];
		if (!keep)
			s->v = arena_array(&d->arena, s->keys.v.n + 1, sizeof(*s->v));
		if (s->v == NULL)
			return err_nomem(e);
		r = flow_decide(d->p.flow, s->space, d->verb, s->keys.v.v, s->keys.v.n, s->v, keep,
				&d->arena, e);
	}
	return r;
}

static int show(struct deal *d, struct err *e)
{
	AUTO(out_freep) struct out *o = NULL;
	int r = out_open(&o, stdout, d->c->json, cols, sizeof(cols) / sizeof(cols[0]), e);
	for (size_t i = 0; r == 0 && i < d->n_shares; i++) {
		for (size_t k = 0; k < d->shares[i].keys.v.n; k++) {
			const struct decision *x = &d->shares[i].v[k];
			d->n_known += is_known(x);
			d->n_done += x->outcome == DECIDE_DONE;
			d->n_impossible += x->outcome == DECIDE_IMPOSSIBLE && is_known(x);
			if (x->outcome == DECIDE_DONE)
				row(d, o, &d->shares[i], x);
			else
				say_not(d, x);
		}
	}
	r = r < 0 ? r : out_end(o, e);
	return r == 0 && fflush(stdout) != 0
		       ? err_set(e, ERR_SYS, "standard output could not be written") : r;
}

/* ---- doing it ---------------------------------------------------------------------------- */

/* What was planned and could not be kept. */
static void changed_meanwhile(struct deal *d)
{
	for (size_t i = 0; i < d->n_shares; i++) {
		for (size_t k = 0; k < d->shares[i].keys.v.n; k++) {
			const struct decision *x = &d->shares[i].v[k];
			if (x->outcome != DECIDE_CHANGED)
				continue;
			d->n_impossible++;
			d->n_done--;
			say_not(d, x);
		}
	}
}

static int do_it(struct deal *d, struct err *e)
{
	int r = decide_all(d, true, e);
	if (r < 0)
		return r;
	changed_meanwhile(d);
	r = flow_push(d->p.flow, e);
	progress_clear(&d->p.progress);
	return r;
}

static void summary(const struct deal *d, bool dry)
{
	if (d->n_known == 0) {
		struct buf b = BUF_INIT;
		buf_printf(&b, "nothing is known of \"%s\"", d->c->arg[0]);
		cli_message(d->c->verb->name, buf_text(&b));
		buf_fini(&b);
	}
	if (!d->c->json)
		printf("%s%s: %zu name%s\n", d->c->verb->name, dry ? " (dry run)" : "", d->n_done,
		       d->n_done == 1 ? "" : "s");
}

/* Whatever stays due, or was refused, after a conflict was to be written over. */
static bool stays_open(const struct deal *d)
{
	const struct flow_counts *n = &d->p.flow->counts;
	return d->n_impossible > 0 || n->refused > 0 || n->pending > 0;
}

int decide_verb(struct cli *c, enum decide_verb verb, bool patterns)
{
	struct err e = {0};
	AUTO(deal_fini) struct deal d = {.c = c, .verb = verb};
	bool dry = cli_val(c, "dry-run") != NULL;
	d.pattern = patterns && strpbrk(c->arg[0], "*?[") != NULL;
	int code = pass_open(&d.p, c, false);
	if (code >= 0)
		return code;
	if (find(&d, &e) < 0 || decide_all(&d, false, &e) < 0 || show(&d, &e) < 0)
		return pass_fail(&d.p, &e);
	if (!dry && d.n_done > 0 && do_it(&d, &e) < 0)
		return pass_fail(&d.p, &e);
	summary(&d, dry);
	return stays_open(&d) ? EXIT_PARTLY : EXIT_DONE;
}
