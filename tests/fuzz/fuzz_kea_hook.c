/* fuzz_kea_hook.c - what anybody may send to the hook's socket. */
#include <stdlib.h>
#include <string.h>

#include "adapters/kea/kea_hook_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What everybody behind the decoder takes for granted. */
static void check_obs(const struct obs *o)
{
	must(o->kind == OBS_LEASE);
	must(ipaddr_is_host(&o->addr));
	must(o->end == (o->end_why != NULL));
	must(o->name.len <= 255 && o->client_id.len <= 255 && o->duid.len <= 130);
	must(o->addr.family == 4 ? o->duid.len == 0 : o->client_id.len == 0);
	must(o->raw.len > 0 && o->raw.len <= KEA_HOOK_RAW_MAX);
	must(o->seen_at_s >= 0 && o->valid_until_s >= o->seen_at_s);
	must(!o->mac.known || !mac_is_zero(&o->mac));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct obs_batch b;

	obs_batch_init(&b);
	must(kea_hook_decode(&b, data, size, 1) == 0);
	must(b.n + b.n_bad + b.n_skipped <= 2 * (KEA_HOOK_LEASES_MAX + 1));
	for (size_t i = 0; i < b.n; i++)
		check_obs(&b.v[i]);
	obs_batch_fini(&b);
	return 0;
}
