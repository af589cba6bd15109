/* push_look.c - see push_look.h. */
#include "bridge/flow/push_look.h"

bool push_needs_look(const struct push_zone *z, const struct belief *b)
{
	return !z->known && !b->seen_known &&
	       dname_labels(&b->owner) > dname_labels(&z->zone->name) + 1;
}

/* Takes them from the page. */
static size_t take_unlooked(struct dname *names, struct zone_key *keys, const struct push_zone *z,
			    struct due_page *page)
{
	size_t n = 0, kept = 0, i;

	for (i = 0; i < page->n; i++) {
		if (!push_needs_look(z, &page->v[i])) {
			page->v[kept++] = page->v[i];
			continue;
		}
		keys[n] = (struct zone_key){z->zone->id, page->v[i].owner};
		names[n++] = page->v[i].owner;
	}
	page->n = kept;
	return n;
}

static int give_back(struct planner *p, struct due_page *page, const struct zone_key *keys, size_t n,
		     struct arena *a, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct belief *b;
	size_t n_rows, i;
	int r = st->beliefs_get(st->ctx, &b, &n_rows, keys, n, a, e);

	for (i = 0; r == 0 && i < n_rows; i++) {
		if (b[i].state == BELIEF_DUE)
			page->v[page->n++] = b[i];
	}
	return r;
}

int push_look(struct planner *p, const struct push_zone *z, struct due_page *page, struct arena *a,
	      struct err *e)
{
	struct dname *names;
	struct zone_key *keys;
	size_t n;
	int r;

	if (z->known || page->n == 0)
		return 0;
	names = arena_array(a, page->n, sizeof(*names));
	keys = arena_array(a, page->n, sizeof(*keys));
	if (names == NULL || keys == NULL)
		return err_nomem(e);
	n = take_unlooked(names, keys, z, page);
	if (n == 0)
		return 0;
	r = flow_ask(p->f, z->space, z->zone, names, n, e);
	/* Cuts may have come to light. */
	planner_forget_zones(p);
	return r < 0 ? r : give_back(p, page, keys, n, a, e);
}
