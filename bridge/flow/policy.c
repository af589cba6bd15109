/* policy.c - a changed configuration reaches what is there already.
 *
 * Addresses are planned in steps, each one transaction; the digest is kept with the last, so a
 * crash between only means that all are planned again.
 */
#include "bridge/flow/planner.h"
#include "bridge/flow/say.h"

struct replan {
	struct planner p;
	uint64_t digest;
	struct ipaddr after;   /* planned so far; family 0: none */
	size_t n;              /* of this step; 0: all are done, and the digest is kept */
};

static int step_inside(void *arg, struct err *e)
{
	struct replan *u = arg;
	struct planner *p = &u->p;
	struct flow_store *st = p->f->store;
	struct ipaddr *v = arena_array(&p->arena, PLANNER_CHUNK, sizeof(*v));
	int r;

	if (v == NULL)
		return err_nomem(e);
	r = st->lock_space(st->ctx, p->space->id, e);
	r = r < 0 ? r
		  : st->hosts_addrs(st->ctx, v, &u->n, PLANNER_CHUNK, p->space->id,
				    u->after.family == 0 ? NULL : &u->after, e);
	if (r < 0)
		return r;
	if (u->n == 0)
		return st->digest_put(st->ctx, u->digest, p->space->id, e);
	u->after = v[u->n - 1];
	return planner_addresses(p, v, u->n, e);
}

/* What a late run leaves undone the next begins again: the digest has not moved. */
static int plan_space(struct flow *f, const struct policy_space *space, uint64_t digest,
		      struct err *e)
{
	struct replan u = {.digest = digest, .n = 1};
	int r = 0;

	while (r == 0 && u.n > 0 && !flow_late(f))
		r = planner_transaction(&u.p, f, space, step_inside, &u, e);
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
