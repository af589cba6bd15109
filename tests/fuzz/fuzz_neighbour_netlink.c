/* fuzz_neighbour_netlink.c - a datagram of a neighbour dump. */
#include <stdlib.h>

#include "adapters/neighbour/neighbour_netlink_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct neighbour_rules rules = {.now_s = 1795250000};
	struct netlink_rules nr = {.rules = &rules, .seq = 77, .ticks_per_s = 100};
	struct obs_batch b;
	struct err e;

	obs_batch_init(&b);
	if (neighbour_netlink_decode(&b, data, size, &nr, &e) >= 0)
		neighbour_unique(&b);
	for (size_t i = 0; i < b.n; i++) {
		if (!ipaddr_is_host(&b.v[i].addr) || !b.v[i].mac.known || b.v[i].seen_at_s < 0)
			abort();
	}
	obs_batch_fini(&b);
	return 0;
}
