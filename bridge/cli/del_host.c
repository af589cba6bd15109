/* del_host.c - ends what a person named by hand, and says what still names it. */

#include "bridge/cli/manual.h"

#include <string.h>

#include "bridge/base/own.h"
#include "bridge/base/vec.h"
#include "bridge/cli/output.h"
#include "bridge/report/why.h"

struct deletion {
	const char *what;              /* as typed */
	struct ipaddr addr;            /* family 0: it is a name */
	VEC(struct ipaddr) addrs;      /* of the ended records, or the one asked for */
	VEC(struct dname) names;       /* theirs */
	json_t *ended;                 /* {space, name, address} */
	json_t *still;                 /* {space, name, address, kind, source, why} */
	json_t *open;                  /* owners not in step */
};

static void deletion_fini(struct deletion *d)
{
	vec_fini(&d->addrs);
	vec_fini(&d->names);
	json_decref(d->ended);
	json_decref(d->still);
	json_decref(d->open);
}

/* ---- ending ----------------------------------------------------------------------------- */

static int note_ended(struct deletion *d, const struct policy_space *space, struct obs *o,
		      struct err *e)
{
	struct dname name;
	manual_end(o);
	json_t *v = manual_json(space, o);
	if (v == NULL || json_object_set_new(v, "space", js_text(space->name)) < 0 ||
	    json_array_append_new(d->ended, v) < 0 || vec_push(&d->addrs, o->addr) < 0)
		return err_nomem(e);
	if (manual_name(&name, space, &o->addr, o->name) && vec_push(&d->names, name) < 0)
		return err_nomem(e);
	return 0;
}

static int end_in_space(struct deletion *d, struct pass *p, const struct policy_space *space,
			struct err *e)
{
	AUTO(manual_fini) struct manual gone = {0}, all = {0};
	int r;
	if ((r = manual_init(&gone, space, e)) < 0 || (r = manual_init(&all, space, e)) < 0)
		return r;
	struct bytes name = {(const uint8_t *)d->what, (uint16_t)strlen(d->what)};
	r = d->addr.family != 0 ? manual_load_at(&gone, p, &d->addr, 1, e)
				: manual_load_named(&gone, p, name, e);
	size_t first = d->addrs.n;
	for (size_t i = 0; r == 0 && i < gone.batch.n; i++)
		r = note_ended(d, space, &gone.batch.v[i], e);
	if (r < 0 || gone.batch.n == 0)
		return r;
	if ((r = manual_load_at(&all, p, d->addrs.v + first, d->addrs.n - first, e)) < 0 ||
	    (r = manual_pass_ptr(&gone, &all, e)) < 0)
		return r;
	return flow_observe(p->flow, space, gone.source, gone.batch.v, gone.batch.n, e);
}

static int end_all(struct deletion *d, struct pass *p, const struct cli *c, struct err *e)
{
	const struct policy *policy = once_policy(p->s.once);
	for (size_t i = 0; i < policy->n_spaces; i++) {
		const struct policy_space *s = &policy->spaces[i];
		if (c->space != NULL && strcmp(c->space, s->name) != 0)
			continue;
		int r = end_in_space(d, p, s, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- what is left ----------------------------------------------------------------------- */

static void still_row(void *arg, const struct report_decision *r)
{
	struct deletion *d = arg;
	if (r->name.len == 0)
		return;
	json_array_append_new(d->still,
			      json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "space", js_text(r->space),
					"name", js_name(&r->name), "address", js_addr(&r->addr),
					"kind", js_text(r->kind), "source", js_text(r->source),
					"why", js_text(r->why)));
}

/* A name typed without its zone is looked for in every forward zone. */
static int add_typed_names(struct deletion *d, const struct pass *p, struct err *e)
{
	struct dname n;
	const struct policy *policy = once_policy(p->s.once);
	if (d->addr.family != 0)
		return vec_push(&d->addrs, d->addr) < 0 ? err_nomem(e) : 0;
	if (!dname_parse(&n, d->what, strlen(d->what)))
		return 0;
	if (vec_push(&d->names, n) < 0)
		return err_nomem(e);
	for (size_t i = 0; i < policy->n_spaces; i++) {
		for (size_t k = 0; k < policy->spaces[i].n_zones; k++) {
			struct dname full;
			const struct policy_zone *z = &policy->spaces[i].zones[k];
			if (z->is_reverse || dname_labels(&n) != 1 ||
			    !dname_prepend(&full, n.b + 1, n.b[0], &z->name))
				continue;
			if (vec_push(&d->names, full) < 0)
				return err_nomem(e);
		}
	}
	return 0;
}

static int add_ptr_name(struct deletion *d, const struct policy_space *s, const struct ipaddr *a,
			struct err *e)
{
	struct dname name;
	policy_ptr_name(&name, s, a);
	for (size_t i = 0; i < d->names.n; i++) {
		if (dname_equal(&d->names.v[i], &name))
			return 0;
	}
	return vec_push(&d->names, name) < 0 ? err_nomem(e) : 0;
}

static int look_back(struct deletion *d, struct pass *p, const struct cli *c, struct err *e)
{
	int r = add_typed_names(d, p, e);
	if (r < 0)
		return r;
	const struct policy *policy = once_policy(p->s.once);
	for (size_t i = 0; i < d->addrs.n; i++) {
		for (size_t k = 0; k < policy->n_spaces; k++) {
			if (add_ptr_name(d, &policy->spaces[k], &d->addrs.v[i], e) < 0)
				return ERR_NOMEM;
		}
	}
	if ((r = manual_outcome(d->open, p, c, d->names.v, d->names.n, e)) < 0)
		return r;
	struct report_filter f = {.space = c->space};
	struct report_subject s = {d->addrs.v, d->addrs.n, d->names.v, d->names.n};
	return report_decisions(once_pg(p->s.once), &f, &s, still_row, d, e);
}

/* ---- result ----------------------------------------------------------------------------- */

static void print_rows(const struct deletion *d)
{
	size_t i;
	json_t *v;
	struct buf b = BUF_INIT;
	json_array_foreach(d->ended, i, v) {
		buf_reset(&b);
		out_flat(&b, json_object_get(v, "name"));
		buf_chr(&b, ' ');
		out_flat(&b, json_object_get(v, "address"));
		printf("del-host: %s ended\n", buf_text(&b));
	}
	if (json_array_size(d->ended) == 0) {
		buf_reset(&b);
		out_escaped(&b, d->what, strlen(d->what));
		printf("del-host: no manual record of \"%s\", nothing to end\n", buf_text(&b));
	}
	json_array_foreach(d->still, i, v) {
		static const char *const part[] = {"address", "name", "why"};
		static const char *const before[] = {"", " is still ", ": "};
		buf_reset(&b);
		for (size_t k = 0; k < 3; k++) {
			buf_str(&b, before[k]);
			out_flat(&b, json_object_get(v, part[k]));
		}
		printf("del-host: %s\n", buf_text(&b));
	}
	buf_fini(&b);
}

static int print(const struct deletion *d, const struct cli *c, struct err *e)
{
	if (c->json)
		return out_object(stdout,
				  json_pack("{s:O,s:O,s:O}", "ended", d->ended, "still", d->still,
					    "open", d->open), e);
	print_rows(d);
	return fflush(stdout) != 0 ? err_set(e, ERR_SYS, "standard output could not be written")
				   : 0;
}

static int run(struct deletion *d, struct pass *p, const struct cli *c, struct err *e)
{
	int r;
	if ((r = end_all(d, p, c, e)) < 0)
		return r;
	r = flow_push(p->flow, e);
	progress_clear(&p->progress);
	r = r < 0 ? r : look_back(d, p, c, e);
	return r < 0 ? r : print(d, c, e);
}

int verb_del_host(struct cli *c)
{
	struct err e = {0};
	AUTO(pass_end) struct pass p = {0};
	AUTO(deletion_fini) struct deletion d = {.what = c->arg[0]};
	if (strlen(d.what) > 1024 || *d.what == '\0') {
		err_set(&e, ERR_CONF, "\"%.64s\" is neither a name nor an address", d.what);
		return cli_fail(&e);
	}
	ipaddr_parse(&d.addr, d.what, strlen(d.what));
	d.ended = json_array();
	d.still = json_array();
	d.open = json_array();
	int code = pass_open(&p, c, false);
	if (code >= 0)
		return code;
	if (run(&d, &p, c, &e) < 0)
		return pass_fail(&p, &e);
	return json_array_size(d.open) > 0 ? EXIT_PARTLY : EXIT_DONE;
}
