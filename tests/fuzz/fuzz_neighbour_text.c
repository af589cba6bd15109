/* fuzz_neighbour_text.c - printed neighbour tables; the first byte chooses format and filter. */
#include <stdlib.h>

#include "adapters/neighbour/neighbour_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"em0", "vsrv"};
	static const enum neighbour_format formats[] = {
	    NEIGHBOUR_AUTO,
	    NEIGHBOUR_PROC,
	    NEIGHBOUR_IPROUTE,
	    NEIGHBOUR_BSD,
	};
	struct neighbour_rules rules = {.interfaces = names, .now_s = 1795250000};
	struct obs_batch b;
	struct err e;

	if (size == 0)
		return 0;
	rules.n_interfaces = (data[0] & 4) != 0 ? 2 : 0;
	obs_batch_init(&b);
	if (neighbour_decode(&b, formats[data[0] & 3], (const char *)data + 1, size - 1, &rules,
			     &e) == 0)
		neighbour_unique(&b);
	for (size_t i = 0; i < b.n; i++) {
		const struct obs *o = &b.v[i];

		if (!ipaddr_is_host(&o->addr) || !o->mac.known || mac_is_zero(&o->mac) ||
		    o->kind != OBS_NEIGHBOUR || o->raw.len == 0)
			abort();
	}
	obs_batch_fini(&b);
	return 0;
}
