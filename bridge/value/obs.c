/* obs.c - batches of observations, and the names of the kinds. */
#include <stdlib.h>
#include <string.h>

#include "bridge/value/obs.h"

static const char *const kind_names[OBS_KINDS] = {
    [OBS_MANUAL] = "manual", [OBS_EDIT] = "edit", [OBS_RESERVATION] = "reservation",
    [OBS_IPAM] = "ipam",     [OBS_LEASE] = "lease", [OBS_DNS] = "dns",
    [OBS_NEIGHBOUR] = "neighbour",
};

enum { BATCH_FIRST = 64 };

const char *obs_kind_name(enum obs_kind k)
{
	return (unsigned)k < OBS_KINDS ? kind_names[k] : "unknown";
}

bool obs_kind_parse(enum obs_kind *out, const char *s, size_t len)
{
	unsigned k;

	for (k = 0; k < OBS_KINDS; k++) {
		if (strlen(kind_names[k]) == len && memcmp(kind_names[k], s, len) == 0) {
			*out = (enum obs_kind)k;
			return true;
		}
	}
	return false;
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int r = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return r != 0 ? r : (a.len > b.len) - (a.len < b.len);
}

bool obs_facts_differ(const struct obs *a, const struct obs *b)
{
	if (a->kind != b->kind || a->valid_until_s != b->valid_until_s || a->ttl_s != b->ttl_s ||
	    a->ptr != b->ptr || a->mac.known != b->mac.known)
		return true;
	if (a->mac.known && memcmp(a->mac.b, b->mac.b, sizeof(a->mac.b)) != 0)
		return true;
	return !bytes_equal(a->name, b->name) || !bytes_equal(a->client_id, b->client_id) ||
	       !bytes_equal(a->duid, b->duid) || !bytes_equal(a->dhcid, b->dhcid);
}

void obs_batch_init(struct obs_batch *b)
{
	memset(b, 0, sizeof(*b));
}

void obs_batch_reset(struct obs_batch *b)
{
	arena_reset(&b->arena);
	memset(b->bad, 0, sizeof(b->bad));
	b->n = 0;
	b->n_bad = 0;
	b->n_skipped = 0;
}

void obs_batch_fini(struct obs_batch *b)
{
	arena_fini(&b->arena);
	free(b->v);
	obs_batch_init(b);
}

struct obs *obs_batch_add(struct obs_batch *b)
{
	if (b->n == b->cap) {
		size_t cap = b->cap == 0 ? BATCH_FIRST : b->cap * 2;
		struct obs *v = cap <= b->cap ? NULL : reallocarray(b->v, cap, sizeof(*v));

		if (v == NULL)
			return NULL;
		b->v = v;
		b->cap = cap;
	}
	memset(&b->v[b->n], 0, sizeof(b->v[b->n]));
	return &b->v[b->n++];
}

void obs_batch_refuse(struct obs_batch *b, uint64_t record, const char *why)
{
	if (b->n_bad < OBS_BAD_KEPT) {
		const char *kept = arena_strdup(&b->arena, why);

		b->bad[b->n_bad].record = record;
		b->bad[b->n_bad].why = kept == NULL ? "out of memory for the reason" : kept;
	}
	b->n_bad++;
}

bool obs_batch_keep(struct obs_batch *b, struct bytes *out, const void *p, size_t len)
{
	const uint8_t *kept = NULL;

	if (len > UINT16_MAX)
		return false;
	if (len > 0) {
		kept = arena_dup(&b->arena, p, len);
		if (kept == NULL)
			return false;
	}
	*out = (struct bytes){kept, (uint16_t)len};
	return true;
}
