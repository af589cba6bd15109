/* obs_pack.c - a version byte, the numbers, then each text with its length before it. */
#include <string.h>

#include "bridge/base/err.h"
#include "bridge/value/obs_pack.h"

enum { PACK_VERSION = 1, END_WHY_MAX = 128 };

/* What has a fixed size, as it lies in memory: writer and reader are one program. */
struct fixed {
	uint8_t version;
	uint8_t kind, end, end_named, ptr, mac_known;
	uint8_t mac[6];
	struct ipaddr addr;
	int64_t valid_until_s, seen_at_s;
	uint32_t ttl_s;
};

static void put_bytes(struct buf *out, struct bytes b)
{
	buf_add(out, &b.len, sizeof(b.len));
	buf_add(out, b.p, b.len);
}

void obs_pack(struct buf *out, const struct obs *o)
{
	struct bytes why = {(const uint8_t *)o->end_why, 0};
	struct fixed f;

	memset(&f, 0, sizeof(f));
	f.version = PACK_VERSION;
	f.kind = o->kind;
	f.end = o->end;
	f.end_named = o->end_named;
	f.ptr = o->ptr;
	f.addr = o->addr;
	f.mac_known = o->mac.known;
	memcpy(f.mac, o->mac.b, sizeof(f.mac));
	f.valid_until_s = o->valid_until_s;
	f.seen_at_s = o->seen_at_s;
	f.ttl_s = o->ttl_s;
	buf_add(out, &f, sizeof(f));
	if (o->end_why != NULL && strlen(o->end_why) <= END_WHY_MAX)
		why.len = (uint16_t)strlen(o->end_why);
	put_bytes(out, why);
	put_bytes(out, o->name);
	put_bytes(out, o->client_id);
	put_bytes(out, o->duid);
	put_bytes(out, o->dhcid);
	put_bytes(out, o->raw);
}

struct reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static void take(struct reader *r, void *out, size_t n)
{
	r->bad = r->bad || n > r->left;
	if (r->bad) {
		memset(out, 0, n);
		return;
	}
	memcpy(out, r->p, n);
	r->p += n;
	r->left -= n;
}

static bool take_bytes(struct reader *r, struct obs_batch *into, struct bytes *out)
{
	struct bytes b;

	take(r, &b.len, sizeof(b.len));
	r->bad = r->bad || b.len > r->left;
	*out = (struct bytes){NULL, 0};
	if (r->bad || b.len == 0)
		return true;
	if (!obs_batch_keep(into, out, r->p, b.len))
		return false;
	r->p += b.len;
	r->left -= b.len;
	return true;
}

static bool is_sound(const struct fixed *f)
{
	return f->version == PACK_VERSION && f->kind < OBS_KINDS && f->end <= 1 && f->end_named <= 1 &&
	       f->ptr <= 1 && f->mac_known <= 1 && (f->addr.family == 4 || f->addr.family == 6);
}

static int keep(struct obs_batch *into, const struct obs *o, struct bytes why)
{
	struct obs *slot = obs_batch_add(into);

	if (slot == NULL)
		return ERR_NOMEM;
	*slot = *o;
	if (o->end)
		slot->end_why = arena_printf(&into->arena, "%.*s", (int)why.len, (const char *)why.p);
	return o->end && slot->end_why == NULL ? ERR_NOMEM : 0;
}

int obs_unpack(struct obs_batch *into, const void *p, size_t len)
{
	struct reader r = {p, len, false};
	struct bytes why = {NULL, 0};
	struct obs o = {.end = false};
	struct fixed f;

	take(&r, &f, sizeof(f));
	if (r.bad || !is_sound(&f))
		return 1;
	if (!take_bytes(&r, into, &why) || !take_bytes(&r, into, &o.name) ||
	    !take_bytes(&r, into, &o.client_id) || !take_bytes(&r, into, &o.duid) ||
	    !take_bytes(&r, into, &o.dhcid) || !take_bytes(&r, into, &o.raw))
		return ERR_NOMEM;
	if (r.bad || r.left > 0)
		return 1;
	o.kind = f.kind;
	o.end = f.end;
	o.end_named = f.end_named;
	o.ptr = f.ptr;
	o.addr = f.addr;
	o.mac.known = f.mac_known;
	memcpy(o.mac.b, f.mac, sizeof(f.mac));
	o.valid_until_s = f.valid_until_s;
	o.seen_at_s = f.seen_at_s;
	o.ttl_s = f.ttl_s;
	return keep(into, &o, why);
}
