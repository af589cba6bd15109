/* policy.c - a changed configuration reaches what is there already.
 *
 * Addresses are planned in steps, each one transaction; the digest is kept with the last, so a
 * crash between only means that all are planned again.
 */
#include "bridge/flow/planner.h"
#include "bridge/flow/say.h"

/* One step: *n addresses planned, none when all are done (and the digest is kept). */
static int step_inside(struct planner *p, struct ipaddr *after, uint64_t digest, size_t *n,
		       struct err *e)
{
	struct flow_store *st = p->f->store;
	struct ipaddr *v = arena_array(&p->arena, PLANNER_CHUNK, sizeof(*v));
	int r;

	if (v == NULL)
		return err_nomem(e);
	r = st->lock_space(st->ctx, p->space->id, e);
	r = r < 0 ? r
		  : st->hosts_addrs(st->ctx, v, n, PLANNER_CHUNK, p->space->id,
				    after->family == 0 ? NULL : after, e);
	if (r < 0)
		return r;
	if (*n == 0)
		return st->digest_put(st->ctx, digest, p->space->id, e);
	*after = v[*n - 1];
	return planner_addresses(p, v, *n, e);
}

static int plan_space(struct flow *f, const struct policy_space *space, uint64_t digest,
		      struct err *e)
{
	struct flow_store *st = f->store;
	struct ipaddr after = {0, {0}};
	struct planner p;
	size_t n = 1;
	int r = 0;

	while (r == 0 && n > 0) {
		r = st->begin(st->ctx, e);
		if (r < 0)
			return r;
		planner_init(&p, f, space);
		r = step_inside(&p, &after, digest, &n, e);
		if (r < 0)
			st->rollback(st->ctx);
		else
			r = st->commit(st->ctx, e);
		planner_fini(&p);
		if (r == 0 && n > 0 && flow_late(f))
			return err_set(e, ERR_BUSY, "the run's time is over");
	}
	return r;
}

int flow_policy(struct flow *f, struct err *e)
{
	struct flow_store *st = f->store;
	uint64_t digest = policy_digest(f->policy), kept;
	size_t i;
	int r = 0;

	for (i = 0; i < f->policy->n_spaces && r == 0; i++) {
		r = st->digest_get(st->ctx, &kept, f->policy->spaces[i].id, e);
		if (r == 0 && kept != digest)
			r = plan_space(f, &f->policy->spaces[i], digest, e);
	}
	return r;
}
