/* fuzz_kea_leases.c - a Kea lease file: the header is the first line, the others are rows. */
#include <stdlib.h>
#include <string.h>

#include "adapters/kea/kea_leases_decode.h"
#include "bridge/base/err.h"

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
	must(o->raw.len > 0 && o->raw.len <= KEA_RAW_MAX);
	must(o->seen_at_s >= 0 && o->valid_until_s >= o->seen_at_s);
	must(!o->mac.known || !mac_is_zero(&o->mac));
}

static void one_row(const struct kea_header *h, const char *line, size_t len)
{
	struct obs_batch b;
	struct ipaddr a;
	bool speaks = kea_row_address(&a, h, line, len);

	obs_batch_init(&b);
	must(kea_row_decode(&b, h, line, len, 1, "") == 0);
	must(b.n + b.n_bad + b.n_skipped == 1);
	/* A row that is believed must also have displaced the rows before it. */
	must(b.n == 0 || (speaks && ipaddr_cmp(&a, &b.v[0].addr) == 0));
	if (b.n == 1)
		check_obs(&b.v[0]);
	obs_batch_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size, *why;
	struct kea_header h = {0};

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl != NULL ? nl : end) - p);

		if (h.family != 0 && !kea_is_header(p, len))
			one_row(&h, p, len);
		else if (!kea_header_parse(&h, p, len, &why) && h.family == 0)
			break;
		p += len + 1;
	}
	return 0;
}
