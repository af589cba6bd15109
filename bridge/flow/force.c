/* force.c - with force a person has agreed to the edits of PTRs that the brake held. */
#include "bridge/flow/force.h"
#include "bridge/flow/ptr_evidence.h"

struct admit {
	struct planner p;
	const struct policy_zone *zone;
};

static int admit_chunk(struct admit *u, struct belief *b, size_t n, struct err *e)
{
	struct planner *p = &u->p;
	struct ipaddr *addrs = arena_array(&p->arena, n, sizeof(*addrs));
	struct ptr_words words;
	size_t i, k = 0;
	int r;

	if (addrs == NULL)
		return err_nomem(e);
	for (i = 0; i < n; i++)
		k += policy_ptr_addr(&addrs[k], u->zone, &b[i].owner);
	r = ptr_words_open(&words, p, u->zone, addrs, k, e);
	for (i = 0; r == 0 && i < n; i++)
		r = ptr_word(&words, &b[i], &b[i], false, e);
	r = r < 0 ? r : ptr_words_keep(&words, e);
	ptr_words_fini(&words);
	return r < 0 ? r : planner_addresses(p, addrs, k, e);
}

static int admit_inside(void *arg, struct err *e)
{
	struct admit *u = arg;
	struct planner *p = &u->p;
	struct flow_store *st = p->f->store;
	const struct dname *after = NULL;
	struct belief *b;
	size_t n = PLANNER_CHUNK;
	int r = st->lock_space(st->ctx, p->space->id, e);

	while (r == 0 && n == PLANNER_CHUNK) {
		r = st->beliefs_stopped(st->ctx, &b, &n, u->zone->id, BELIEF_CONFLICT, after,
					PLANNER_CHUNK, &p->arena, e);
		if (r == 0 && n > 0) {
			after = &b[n - 1].owner;
			r = admit_chunk(u, b, n, e);
		}
	}
	return r;
}

int force_edits(struct flow *f, const struct policy_space *space, const struct policy_zone *zone,
		struct err *e)
{
	struct admit u = {.zone = zone};

	return planner_transaction(&u.p, f, space, admit_inside, &u, e);
}
