/* push_look.c - see push_look.h. */
#include "bridge/flow/push_look.h"

bool push_needs_look(const struct push_zone *z, const struct belief *b)
{
	return !z->known && !b->seen_known &&
	       dname_labels(&b->owner) > dname_labels(&z->zone->name) + 1;
}

int push_look(bool *asked, struct planner *p, const struct push_zone *z,
	      const struct due_page *page, struct arena *a, struct err *e)
{
	struct dname *names;
	size_t n = 0, i;
	int r;

	if (z->known || page->n == 0)
		return 0;
	names = arena_array(a, page->n, sizeof(*names));
	if (names == NULL)
		return err_nomem(e);
	for (i = 0; i < page->n; i++) {
		if (push_needs_look(z, &page->v[i]))
			names[n++] = page->v[i].owner;
	}
	if (n == 0)
		return 0;
	*asked = true;
	r = flow_ask(p->f, z->space, z->zone, names, n, e);
	/* Cuts may have come to light. */
	planner_forget_zones(p);
	return r;
}
