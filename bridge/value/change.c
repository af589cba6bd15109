/* change.c - how much room a change takes. */
#include "bridge/value/change.h"
#include "bridge/value/wirelen.h"

enum { POINTER = 2 };

static size_t section_len(const struct change_rr *v, size_t n)
{
	size_t len = 0, i;

	for (i = 0; i < n; i++)
		len += POINTER + WIRE_RR_FIXED + v[i].rdlen;
	return len;
}

size_t change_wire_len(const struct change *c)
{
	size_t len = section_len(c->pre, c->n_pre) + section_len(c->upd, c->n_upd);

	return len == 0 ? 0 : len + c->owner.len - POINTER;
}
