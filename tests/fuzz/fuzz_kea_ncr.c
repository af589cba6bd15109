/* fuzz_kea_ncr.c - NameChangeRequest datagrams, and their text behind a length that is right. */
#include <stdlib.h>
#include <string.h>

#include "adapters/kea/kea_ncr_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What everybody behind the decoder takes for granted. */
static void check_obs(const struct obs *o, size_t len)
{
	must(o->kind == OBS_LEASE);
	must(ipaddr_is_host(&o->addr));
	must(o->end == (o->end_why != NULL));
	must(o->name.len > 0 && o->name.len <= 255);
	must(o->dhcid.len == 0 || o->dhcid.len == DHCID_LEN);
	must(o->raw.len > 0 && o->raw.len <= len);
	must(o->valid_until_s == OBS_FOREVER && o->seen_at_s == 7);
}

static void one(const uint8_t *p, size_t len)
{
	struct obs_batch b;

	obs_batch_init(&b);
	must(kea_ncr_decode(&b, p, len, 1, 7) == 0);
	must(b.n + b.n_bad == 1 && b.n_skipped == 0);
	if (b.n == 1)
		check_obs(&b.v[0], len);
	obs_batch_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t framed[KEA_NCR_MAX + 1];
	size_t n = size < sizeof(framed) - 2 ? size : sizeof(framed) - 2;

	one(data, size);
	framed[0] = (uint8_t)(n >> 8);
	framed[1] = (uint8_t)n;
	if (n > 0)
		memcpy(framed + 2, data, n);
	one(framed, n + 2);
	return 0;
}
