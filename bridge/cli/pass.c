/* pass.c - see pass.h. */

#include "bridge/cli/pass.h"

#include <inttypes.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/cli/output.h"

/* -1, or the exit code. */
static int lock(struct pass *p, struct err *e)
{
	int r = store_run_lock(once_store(p->s.once), e);
	if (r == 0) {
		p->locked = true;
		return -1;
	}
	if (r != ERR_BUSY)
		return cli_fail(e);
	err_hint(e, "it will do the same work; wait for it, or run this again afterwards");
	cli_fail(e);
	return EXIT_LOCKED;
}

int pass_open(struct pass *p, const struct cli *c, bool dry)
{
	struct err e = {0};
	*p = (struct pass){.verb = c->verb->name, .json = c->json};
	progress_init(&p->progress, c->verbose > 0);
	if (session_open(&p->s, c, c->verb->name, dry, &e) < 0)
		return cli_fail(&e);
	p->dry = dry;
	p->flow = once_flow(p->s.once);
	p->feed = once_feed(p->s.once);
	progress_watch(&p->progress, p->flow, &p->feed);
	p->flow->say = progress_say;
	p->flow->say_arg = &p->progress;
	p->flow->started_s = clock_wall_s();
	return -1;
}

int pass_begin(struct pass *p, const struct cli *c, bool dry)
{
	struct err e = {0};
	int code = pass_open(p, c, dry);
	if (code < 0)
		code = lock(p, &e);
	return code;
}

void pass_end(struct pass *p)
{
	progress_clear(&p->progress);
	if (p->s.once != NULL) {
		if (p->locked)
			store_run_unlock(once_store(p->s.once));
	}
	session_fini(&p->s);
}

int pass_fail(struct pass *p, const struct err *e)
{
	progress_clear(&p->progress);
	return cli_fail(e);
}

static json_t *counts_json(const struct flow_counts *n, int64_t ms)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "changed", (json_int_t)n->changed,
			 "refused", (json_int_t)n->refused, "pending", (json_int_t)n->pending,
			 "held", (json_int_t)n->held, "conflicts", (json_int_t)n->conflicts,
			 "pulled", (json_int_t)n->pulled, "duration_ms", (json_int_t)ms);
}

int pass_result(struct pass *p)
{
	struct err e = {0};
	const struct flow_counts *n = &p->flow->counts;
	int64_t ms = clock_mono_ms() - p->progress.started_ms;
	progress_clear(&p->progress);
	if (p->json) {
		if (out_object(stdout, counts_json(n, ms), &e) < 0)
			return cli_fail(&e);
		return cli_exit_of_counts(n);
	}
	printf("%s%s: %" PRIu64 " %s, %" PRIu64 " refused, %" PRIu64 " pending, %" PRIu64
	       " held, %" PRIu64 " conflicts, %" PRIu64 " pulled in %.1f s\n",
	       p->verb, p->dry ? " (dry run)" : "", n->changed,
	       p->dry ? "would change" : "changed", n->refused, n->pending, n->held,
	       n->conflicts, n->pulled, (double)ms / 1000);
	if (fflush(stdout) != 0) {
		err_set(&e, ERR_SYS, "standard output could not be written");
		return cli_fail(&e);
	}
	return cli_exit_of_counts(n);
}

static bool view_matches(const struct cli *c, const struct policy_zone *z)
{
	return c->view == NULL || strcmp(c->view, z->view) == 0;
}

int pass_zone(const struct policy_zone **out, const struct pass *p, const struct cli *c,
	      const char *name, struct err *e)
{
	struct dname want;
	const struct policy *policy = once_policy(p->s.once);
	size_t found = 0;
	if (!dname_parse(&want, name, strlen(name)))
		return err_set(e, ERR_CONF, "\"%s\" is no domain name", name);
	for (size_t i = 0; i < policy->n_spaces; i++) {
		const struct policy_space *s = &policy->spaces[i];
		if (c->space != NULL && strcmp(c->space, s->name) != 0)
			continue;
		for (size_t k = 0; k < s->n_zones; k++) {
			if (!dname_equal(&s->zones[k].name, &want) ||
			    !view_matches(c, &s->zones[k]))
				continue;
			*out = &s->zones[k];
			found++;
		}
	}
	if (found == 1)
		return 0;
	err_set(e, ERR_CONF, found == 0 ? "no zone \"%s\" in the configuration"
					: "several zones are called \"%s\"", name);
	err_hint(e, found == 0 ? "\"ipambridge list zones\" shows them"
			       : "add --space or --view");
	return ERR_CONF;
}
