/* write.c - DNS requests as bytes.  Owns their layout and their size.
 *
 * Owners are compressed against the zone's name, which stands at offset 12, or against their own
 * first appearance.  RDATA is written as it is: RFC 3597 4 forbids compressing in new types and
 * nothing is gained in the old ones.
 */
#include "bridge/dns/write.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/base/hash.h"
#include "bridge/base/own.h"
#include "bridge/value/rrtype.h"
#include "bridge/value/wirelen.h"

enum {
	UPDATE_MAX = 65000,    /* leaves 535 bytes for a TSIG: name 255, algorithm 13, MAC 64 */
	POINTER_MAX = 0x3fff,
	OPCODE_UPDATE = 5,
};

/* What the writer knows about one owner. */
struct owner {
	size_t at;              /* offset of its first appearance; 0: none a pointer reaches */
	size_t same;            /* 1 + index of the change before with this owner; 0: none */
};

struct writer {
	struct buf *out;
	const struct dname *zone;
	const struct change *const *c;
	size_t n;
	struct owner *owners;
};

static void header(struct buf *b, uint16_t id, unsigned opcode)
{
	buf_u16(b, id);
	buf_u16(b, (uint16_t)(opcode << 11));
	buf_u16(b, 1);
	buf_u16(b, 0);
	buf_u16(b, 0);
	buf_u16(b, 0);
}

static void put16_at(struct buf *b, size_t at, size_t v)
{
	if (b->bad)
		return;
	b->p[at] = (char)(v >> 8);
	b->p[at + 1] = (char)v;
}

/* The owner of change i; every change with the same owner shares the first one's offset. */
static void put_owner(struct writer *w, size_t i)
{
	const struct dname *o = &w->c[i]->owner;
	size_t first = i;

	while (w->owners[first].same != 0)
		first = w->owners[first].same - 1;
	if (w->owners[first].at != 0) {
		buf_u16(w->out, (uint16_t)(0xc000 | w->owners[first].at));
		return;
	}
	if (w->out->len <= POINTER_MAX)
		w->owners[first].at = w->out->len;
	buf_add(w->out, o->b, o->len - w->zone->len);
	buf_u16(w->out, 0xc000 | WIRE_HEADER);
}

static void put_rr(struct writer *w, size_t i, const struct change_rr *r, uint32_t ttl_s)
{
	put_owner(w, i);
	buf_u16(w->out, r->type);
	buf_u16(w->out, r->class_);
	buf_u32(w->out, ttl_s);
	buf_u16(w->out, r->rdlen);
	buf_add(w->out, r->rdata, r->rdlen);
}

static bool same_rr(const struct change_rr *a, const struct change_rr *b)
{
	return a->type == b->type && a->class_ == b->class_ && a->rdlen == b->rdlen &&
	       (a->rdlen == 0 || memcmp(a->rdata, b->rdata, a->rdlen) == 0);
}

/* Did change i before its k-th prerequisite, or an earlier change of this owner, say the same? */
static bool said(const struct writer *w, size_t i, size_t k)
{
	const struct change_rr *r = &w->c[i]->pre[k];
	size_t n = k;

	for (;;) {
		for (size_t j = 0; j < n; j++)
			if (same_rr(&w->c[i]->pre[j], r))
				return true;
		if (w->owners[i].same == 0)
			return false;
		i = w->owners[i].same - 1;
		n = w->c[i]->n_pre;
	}
}

static size_t put_prerequisites(struct writer *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		for (size_t k = 0; k < w->c[i]->n_pre; k++) {
			if (said(w, i, k))
				continue;
			put_rr(w, i, &w->c[i]->pre[k], 0);
			n++;
		}
		if (w->out->len > UPDATE_MAX)
			break;
	}
	return n;
}

static size_t put_updates(struct writer *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n && w->out->len <= UPDATE_MAX; i++) {
		for (size_t k = 0; k < w->c[i]->n_upd; k++, n++) {
			const struct change_rr *r = &w->c[i]->upd[k];
			put_rr(w, i, r, r->class_ == RR_CLASS_IN ? r->ttl_s : 0);
		}
	}
	return n;
}

/* Links changes of equal owners; checks that all lie in the zone. */
static int link_owners(struct writer *w, struct err *e)
{
	struct map m = MAP_INIT;
	char owner[DNAME_TEXT], zone[DNAME_TEXT];
	int r = 0;

	for (size_t i = 0; i < w->n && r == 0; i++) {
		const struct dname *o = &w->c[i]->owner;
		if (!dname_under(o, w->zone)) {
			r = err_set(e, ERR_BUG, "\"%s\" is not in zone \"%s\"",
				    dname_print(owner, o), dname_print(zone, w->zone));
			break;
		}
		const struct owner *before = map_get(&m, o->b, o->len);
		if (before != NULL)
			w->owners[i].same = (size_t)(before - w->owners) + 1;
		if (map_put(&m, o->b, o->len, &w->owners[i]) < 0)
			r = err_nomem(e);
	}
	map_fini(&m);
	return r;
}

int write_update(struct buf *out, uint16_t id, const struct dname *zone,
		 const struct change *const *c, size_t n, struct err *e)
{
	AUTO(own_freep) struct owner *owners = calloc(n + 1, sizeof(*owners));
	struct writer w = {out, zone, c, n, owners};
	size_t pre, upd;
	int r;

	if (owners == NULL)
		return err_nomem(e);
	r = link_owners(&w, e);
	if (r < 0)
		return r;
	buf_reset(out);
	header(out, id, OPCODE_UPDATE);
	buf_add(out, zone->b, zone->len);
	buf_u16(out, RR_SOA);
	buf_u16(out, RR_CLASS_IN);
	pre = put_prerequisites(&w);
	upd = put_updates(&w);
	if (out->bad)
		return err_nomem(e);
	if (out->len > UPDATE_MAX)
		return err_set(e, ERR_BUG, "an update of %zu names is over %d bytes", n, UPDATE_MAX);
	put16_at(out, 6, pre);
	put16_at(out, 8, upd);
	return 0;
}

int write_query(struct buf *out, uint16_t id, const struct dname *name, uint16_t type,
		struct err *e)
{
	buf_reset(out);
	header(out, id, 0);
	buf_add(out, name->b, name->len);
	buf_u16(out, type);
	buf_u16(out, RR_CLASS_IN);
	return out->bad ? err_nomem(e) : 0;
}

int write_ixfr(struct buf *out, uint16_t id, const struct dname *zone, uint32_t since,
	       struct err *e)
{
	static const char roots[2] = {0, 0};  /* both its names */
	int i, r = write_query(out, id, zone, RR_IXFR, e);

	if (r < 0)
		return r;
	put16_at(out, 8, 1);
	buf_u16(out, 0xc000 | WIRE_HEADER);
	buf_u16(out, RR_SOA);
	buf_u16(out, RR_CLASS_IN);
	buf_u32(out, 0);
	buf_u16(out, 2 + 5 * 4);
	buf_add(out, roots, 2);
	buf_u32(out, since);
	for (i = 0; i < 4; i++)
		buf_u32(out, 0);
	return out->bad ? err_nomem(e) : 0;
}
