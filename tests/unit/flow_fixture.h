/* flow_fixture.h - the order of things on a store in memory and a model of name servers.
 */
#ifndef TESTS_UNIT_FLOW_FIXTURE_H
#define TESTS_UNIT_FLOW_FIXTURE_H

#include <string.h>

#include "bridge/flow/flow.h"
#include "tests/sim/memstore.h"
#include "tests/sim/model.h"

struct fix {
	struct memstore *m;
	struct model *model;
	struct flow_store store;
	struct flow_net net;
	struct flow flow;
	struct arena a;
};

static inline int open_flow(struct fix *f, const struct policy *policy)
{
	memset(f, 0, sizeof(*f));
	f->m = memstore_new(policy);
	f->model = model_new(1, 1700000000);
	if (f->m == NULL || f->model == NULL)
		return -1;
	f->store = memstore_flow(f->m);
	f->net = model_net(f->model, 0);
	f->flow = (struct flow){.policy = policy, .store = &f->store, .net = &f->net};
	return 0;
}

/* Its servers have all of its zones, and were looked at once. */
static inline int open_known(struct fix *f, const struct policy *policy)
{
	const struct policy_space *s = &policy->spaces[0];

	if (open_flow(f, policy) < 0)
		return -1;
	f->flow.full_every_s = 86400;
	for (size_t i = 0; i < s->n_zones; i++)
		if (model_serve(f->model, &s->zones[i]) < 0)
			return -1;
	return flow_pull(&f->flow, NULL, NULL);
}

static inline int close_fix(void **state)
{
	struct fix *f = *state;

	memstore_free(f->m);
	model_free(f->model);
	arena_fini(&f->a);
	return 0;
}

#endif
