/* memrows.c - deep copies of rows, their order, and the sorted tables that hold them. */
#include "tests/sim/memrows.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/base/vec.h"

bool dup_bytes(struct arena *a, struct bytes *out, struct bytes in)
{
	out->p = NULL;
	out->len = 0;
	if (in.len == 0)
		return true;
	out->p = arena_dup(a, in.p, in.len);
	out->len = in.len;
	return out->p != NULL;
}

bool dup_text(struct arena *a, const char **out, const char *in)
{
	*out = in == NULL ? NULL : arena_strdup(a, in);
	return in == NULL || *out != NULL;
}

bool dup_obs(struct arena *a, struct obs *out, const struct obs *in)
{
	*out = *in;
	return dup_text(a, &out->end_why, in->end_why) && dup_bytes(a, &out->name, in->name) &&
	       dup_bytes(a, &out->client_id, in->client_id) &&
	       dup_bytes(a, &out->duid, in->duid) && dup_bytes(a, &out->dhcid, in->dhcid) &&
	       dup_bytes(a, &out->raw, in->raw);
}

bool dup_evidence(struct arena *a, struct evidence *out, const struct evidence *in)
{
	*out = *in;
	return dup_obs(a, &out->obs, &in->obs);
}

bool dup_host(struct arena *a, struct host *out, const struct host *in)
{
	*out = *in;
	return dup_bytes(a, &out->id.client_id, in->id.client_id) &&
	       dup_bytes(a, &out->id.duid, in->id.duid) &&
	       dup_bytes(a, &out->id.dhcid, in->id.dhcid) &&
	       dup_bytes(a, &out->id.dhcid_name, in->id.dhcid_name) && dup_text(a, &out->why, in->why);
}

bool dup_belief(struct arena *a, struct belief *out, const struct belief *in)
{
	*out = *in;
	if (rrs_dup(&out->want, a, &in->want) < 0 ||
	    rrs_dup(&out->published, a, &in->published) < 0 ||
	    rrs_dup(&out->seen, a, &in->seen) < 0)
		return false;
	for (int i = 0; i < BELIEF_OFFERED_MAX; i++) {
		memset(&out->offered[i], 0, sizeof(out->offered[i]));
		if (i < in->n_offered && rrs_dup(&out->offered[i], a, &in->offered[i]) < 0)
			return false;
	}
	return dup_text(a, &out->why, in->why);
}

bool dup_source(struct arena *a, struct source_row *out, const struct source_row *in)
{
	*out = *in;
	return dup_text(a, &out->cursor, in->cursor) &&
	       dup_text(a, &out->last_error, in->last_error);
}

bool dup_zone(struct arena *a, struct zone_row *out, const struct zone_row *in)
{
	*out = *in;
	return dup_text(a, &out->last_error, in->last_error);
}

bool dup_line(struct arena *a, struct journal_line *out, const struct journal_line *in)
{
	*out = *in;
	if (in->owner != NULL)
		out->owner = arena_dup(a, in->owner, sizeof(*in->owner));
	if (in->addr != NULL)
		out->addr = arena_dup(a, in->addr, sizeof(*in->addr));
	if ((in->owner != NULL && out->owner == NULL) || (in->addr != NULL && out->addr == NULL))
		return false;
	return dup_text(a, &out->event, in->event) && dup_text(a, &out->before, in->before) &&
	       dup_text(a, &out->after, in->after) && dup_text(a, &out->why, in->why);
}

int cmp_i64(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

struct bytes obs_key_name(const struct obs *o)
{
	struct bytes none = {NULL, 0};

	return o->kind == OBS_MANUAL ? o->name : none;
}

size_t table_find(const struct table *t, const void *key, bool *found)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->cmp(t->v[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*found = lo < t->n && t->cmp(t->v[lo], key) == 0;
	return lo;
}

int table_put(struct table *t, void *row)
{
	bool found;
	size_t at = table_find(t, row, &found);

	if (!found) {
		if (vec_reserve(t, 1) < 0)
			return ERR_NOMEM;
		memmove(t->v + at + 1, t->v + at, (t->n - at) * sizeof(*t->v));
		t->n++;
	}
	t->v[at] = row;
	return 0;
}

void table_del(struct table *t, size_t at)
{
	memmove(t->v + at, t->v + at + 1, (t->n - at - 1) * sizeof(*t->v));
	t->n--;
}

int table_copy(struct table *out, const struct table *in)
{
	table_fini(out);
	out->cmp = in->cmp;
	if (in->n == 0)
		return 0;
	if (vec_reserve(out, in->n) < 0)
		return ERR_NOMEM;
	memcpy(out->v, in->v, in->n * sizeof(*in->v));
	out->n = in->n;
	return 0;
}

void table_fini(struct table *t)
{
	vec_fini(t);
}
