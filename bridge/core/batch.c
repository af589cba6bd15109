/* batch.c - packs owners into messages by records, bytes and owners. */
#include "bridge/core/batch.h"

size_t batch_take(const struct change *const *c, size_t n)
{
	size_t rrs = 0, bytes = 0, i;

	for (i = 0; i < n && i < BATCH_OWNERS; i++) {
		rrs += c[i]->n_upd;
		bytes += change_wire_len(c[i]);
		if (i > 0 && (rrs > BATCH_RRS || bytes > BATCH_BYTES))
			break;
	}
	return i;
}
