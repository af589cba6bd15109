/* change.c - how much room a change takes. */
#include "bridge/value/change.h"
#include "bridge/value/wirelen.h"

static size_t section_len(const struct dname *owner, const struct change_rr *v, size_t n)
{
	size_t len = 0, i;

	for (i = 0; i < n; i++)
		len += (size_t)owner->len + WIRE_RR_FIXED + v[i].rdlen;
	return len;
}

size_t change_wire_len(const struct change *c)
{
	return section_len(&c->owner, c->pre, c->n_pre) + section_len(&c->owner, c->upd, c->n_upd);
}
