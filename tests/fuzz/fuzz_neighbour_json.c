/* fuzz_neighbour_json.c - neighbour tables as JSON. */
#include <stdlib.h>

#include "adapters/neighbour/neighbour_json_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct neighbour_rules rules = {.now_s = 1795250000};
	struct obs_batch b;
	struct err e;

	obs_batch_init(&b);
	if (neighbour_json_decode(&b, (const char *)data, size, &rules, &e) == 0)
		neighbour_unique(&b);
	for (size_t i = 0; i < b.n; i++) {
		const struct obs *o = &b.v[i];

		if (!ipaddr_is_host(&o->addr) || !o->mac.known || o->raw.len == 0 ||
		    o->seen_at_s < 0 || o->seen_at_s > rules.now_s)
			abort();
	}
	obs_batch_fini(&b);
	return 0;
}
