/* wirecheck.c - the gate for bytes from a socket, and the reader of what passed it.
 *
 * The gate walks a message once and proves that every later walk is safe and cheap; the reader
 * checks its own bounds all the same, so that a message that never passed can't hurt either.
 */
#include "bridge/dns/wirecheck.h"

#include <string.h>

#include "bridge/value/rrtype.h"
#include "bridge/value/wirelen.h"

enum {
	HOPS_MAX = 128,        /* an ip6.arpa name has 34 labels; each could be a pointer away */
	WORK_MAX = 1 << 20,    /* bytes of all names expanded, plus hops: 16 times the largest message */
	MEMO = 16,             /* pointer targets remembered; a power of two */
	SOA_FIXED = 20,        /* serial, refresh, retry, expire, minimum */
};

/* A name that was walked already: servers point at the same few suffixes again and again. */
struct memo {
	uint16_t at;           /* 0: empty, no name starts in the header */
	uint8_t len, hops;
};

struct gate {
	const uint8_t *p;
	size_t len, at;
	size_t work;
	const char *why;
	struct memo memo[MEMO];
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static bool refuse(struct gate *g, const char *why)
{
	g->why = why;
	return false;
}

static struct memo *memo_of(struct gate *g, size_t at)
{
	return &g->memo[(at ^ at >> 4) & (MEMO - 1)];
}

/* Takes the name at g->at and moves behind it.  A pointer must go before the first byte of the
 * piece that holds it, so every hop goes backwards and the walk ends. */
static bool take_name(struct gate *g)
{
	size_t i = g->at, piece = i, end = 0;
	unsigned len = 0, hops = 0, len0 = 0, first = 0;

	for (;;) {
		if (i >= g->len)
			return refuse(g, "a name runs past the end");
		unsigned b = g->p[i];
		if (b == 0) {
			len++;
			break;
		}
		if (b < 64) {
			len += b + 1;
			if (len > 254)
				return refuse(g, "a name is longer than 255 bytes");
			i += b + 1;
			continue;
		}
		if (b < 192)
			return refuse(g, "a label has a reserved type");
		if (i + 2 > g->len)
			return refuse(g, "a name runs past the end");
		size_t target = get16(g->p + i) & 0x3fff;
		if (target < WIRE_HEADER || target >= piece)
			return refuse(g, "a compression pointer does not go backwards");
		if (++hops > HOPS_MAX)
			return refuse(g, "a name has too many compression pointers");
		if (end == 0) {
			end = i + 2;
			first = (unsigned)target;
			len0 = len;
		}
		const struct memo *m = memo_of(g, target);
		if (m->at == target) {
			len += m->len;
			hops += m->hops;
			break;
		}
		i = piece = target;
	}
	if (len > 255)
		return refuse(g, "a name is longer than 255 bytes");
	if (hops > HOPS_MAX)
		return refuse(g, "a name has too many compression pointers");
	if (end == 0)
		end = i + 1;
	else
		*memo_of(g, first) = (struct memo){(uint16_t)first, (uint8_t)(len - len0),
						   (uint8_t)(hops - 1)};
	g->at = end;
	g->work += len + hops;
	if (g->work > WORK_MAX)
		return refuse(g, "the names expand to more than 1 MiB");
	return true;
}

/* Names inside RDATA, for the types that have them by value/rrtype; SOA has two. */
static bool take_rdata(struct gate *g, uint16_t type, size_t rdlen)
{
	size_t end = g->at + rdlen;
	const struct rrtype *row;

	if (rdlen == 0) /* RFC 2136: class ANY and NONE */
		return true;
	if (type == RR_SOA) {
		if (!take_name(g) || g->at >= end || !take_name(g))
			return g->why != NULL ? false : refuse(g, "SOA data is cut");
		g->at += SOA_FIXED;
	} else if ((row = rrtype_get(type)) != NULL && row->name_at != 255) {
		if (row->name_at >= rdlen)
			return refuse(g, "RDATA is too short for its name");
		g->at += row->name_at;
		if (!take_name(g))
			return false;
	} else {
		if ((type == RR_A && rdlen != 4) || (type == RR_AAAA && rdlen != 16))
			return refuse(g, "an address has the wrong length");
		g->at = end;
	}
	return g->at == end || refuse(g, "RDATA is longer or shorter than its name");
}

static bool take_question(struct gate *g)
{
	if (!take_name(g))
		return false;
	if (g->len - g->at < 4)
		return refuse(g, "the question is cut");
	g->at += 4;
	return true;
}

static bool take_record(struct gate *g, struct wire_msg *out, unsigned section, bool last,
			bool *opt)
{
	size_t start = g->at;

	if (!take_name(g))
		return false;
	if (g->len - g->at < WIRE_RR_FIXED)
		return refuse(g, "a record is cut");
	const uint8_t *f = g->p + g->at;
	uint16_t type = get16(f), rdlen = get16(f + 8);
	g->at += WIRE_RR_FIXED;
	if (g->len - g->at < rdlen)
		return refuse(g, "RDATA runs past the end");
	if (type == RR_TSIG) {
		if (section != 3 || !last)
			return refuse(g, "a TSIG record is not the last record");
		if (get16(f + 2) != RR_CLASS_ANY || get32(f + 4) != 0)
			return refuse(g, "a TSIG record has a class or TTL");
		out->tsig_at = start;
	} else if (type == RR_OPT) {
		if (section != 3 || *opt)
			return refuse(g, "an OPT record too many or out of place");
		*opt = true;
	}
	return take_rdata(g, type, rdlen);
}

static bool take_sections(struct gate *g, struct wire_msg *out)
{
	const uint16_t count[4] = {out->qd, out->an, out->ns, out->ar};
	bool opt = false;

	/* 5 bytes is the shortest question, 11 the shortest record. */
	if ((size_t)out->qd * 5 + ((size_t)out->an + out->ns + out->ar) * 11 > g->len - WIRE_HEADER)
		return refuse(g, "the counts do not fit the length");
	for (unsigned i = 0; i < out->qd; i++)
		if (!take_question(g))
			return false;
	for (unsigned s = 1; s < 4; s++)
		for (unsigned i = 0; i < count[s]; i++)
			if (!take_record(g, out, s, i + 1 == count[s], &opt))
				return false;
	return g->at == g->len || refuse(g, "bytes follow the last record");
}

bool wirecheck(struct wire_msg *out, const uint8_t *p, size_t len, const char **why)
{
	struct gate g = {.p = p, .len = len, .at = WIRE_HEADER};

	memset(out, 0, sizeof(*out));
	if (len < WIRE_HEADER || len > WIRE_MESSAGE_MAX) {
		*why = "its length is not that of a DNS message";
		return false;
	}
	*out = (struct wire_msg){.p = p, .len = len, .id = get16(p), .flags = get16(p + 2),
				 .qd = get16(p + 4), .an = get16(p + 6), .ns = get16(p + 8),
				 .ar = get16(p + 10)};
	if (take_sections(&g, out))
		return true;
	*why = g.why;
	return false;
}

unsigned wire_rcode(const struct wire_msg *m)
{
	return m->flags & 15;
}

unsigned wire_opcode(const struct wire_msg *m)
{
	return m->flags >> 11 & 15;
}

static inline uint8_t lower(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c + 32) : c;
}

/* Expands and lower-cases the name at `at`.  Returns the offset behind it, 0 when malformed. */
static size_t expand(const struct wire_msg *m, size_t at, uint8_t out[255], size_t *len)
{
	size_t i = at, piece = at, end = 0, n = 0;

	for (unsigned hops = 0;;) {
		if (i >= m->len)
			return 0;
		size_t b = m->p[i];
		if (b == 0) {
			out[n++] = 0;
			break;
		}
		if (b < 64) {
			if (i + 1 + b > m->len || n + b + 1 > 254)
				return 0;
			out[n] = (uint8_t)b;
			for (size_t k = 1; k <= b; k++)
				out[n + k] = lower(m->p[i + k]);
			n += b + 1;
			i += b + 1;
			continue;
		}
		if (b < 192 || i + 2 > m->len || ++hops > HOPS_MAX)
			return 0;
		size_t target = get16(m->p + i) & 0x3fff;
		if (target >= piece)
			return 0;
		if (end == 0)
			end = i + 2;
		i = piece = target;
	}
	*len = n;
	return end != 0 ? end : i + 1;
}

void wire_iter_init(struct wire_iter *it, const struct wire_msg *m)
{
	*it = (struct wire_iter){.m = m, .at = WIRE_HEADER, .section = 0, .left = m->qd};
}

bool wire_iter_next(struct wire_iter *it, struct wire_rr *out)
{
	const struct wire_msg *m = it->m;
	const uint16_t count[4] = {m->qd, m->an, m->ns, m->ar};
	size_t len, at;

	while (it->left == 0) {
		if (it->section >= 3)
			return false;
		it->left = count[++it->section];
	}
	size_t fixed = it->section == 0 ? 4 : WIRE_RR_FIXED;
	at = expand(m, it->at, out->owner.b, &len);
	if (at == 0 || m->len - at < fixed)
		return false;
	out->owner.len = (uint8_t)len;
	out->section = it->section;
	out->type = get16(m->p + at);
	out->class_ = get16(m->p + at + 2);
	out->ttl_s = it->section == 0 ? 0 : get32(m->p + at + 4);
	out->rdlen = it->section == 0 ? 0 : get16(m->p + at + 8);
	out->rdata_at = at + fixed;
	if (m->len - out->rdata_at < out->rdlen)
		return false;
	it->at = out->rdata_at + out->rdlen;
	it->left--;
	return true;
}

/* Appends the name at *at, which must end by `end`, to out. */
static bool rdata_name(const struct wire_msg *m, size_t *at, size_t end, uint8_t *out, size_t cap,
		       size_t *n)
{
	uint8_t name[255];
	size_t len, next = expand(m, *at, name, &len);

	if (next == 0 || next > end || len > cap - *n)
		return false;
	memcpy(out + *n, name, len);
	*n += len;
	*at = next;
	return true;
}

static size_t rdata_soa(const struct wire_msg *m, size_t at, size_t end, uint8_t *out, size_t cap)
{
	size_t n = 0;

	if (!rdata_name(m, &at, end, out, cap, &n) || !rdata_name(m, &at, end, out, cap, &n) ||
	    end - at != SOA_FIXED || cap - n < SOA_FIXED)
		return 0;
	memcpy(out + n, m->p + at, SOA_FIXED);
	return n + SOA_FIXED;
}

size_t wire_rdata(const struct wire_msg *m, const struct wire_rr *rr, uint8_t *out, size_t cap)
{
	size_t at = rr->rdata_at, end = at + rr->rdlen, n;
	const struct rrtype *row;

	if (end > m->len || rr->rdlen == 0)
		return 0;
	if (rr->type == RR_SOA)
		return rdata_soa(m, at, end, out, cap);
	if ((rr->type == RR_A && rr->rdlen != 4) || (rr->type == RR_AAAA && rr->rdlen != 16))
		return 0;
	row = rrtype_get(rr->type);
	if (row == NULL || row->name_at == 255) {
		if (rr->rdlen > cap)
			return 0;
		memcpy(out, m->p + at, rr->rdlen);
		return rr->rdlen;
	}
	n = row->name_at;
	if (n >= rr->rdlen || n > cap)
		return 0;
	memcpy(out, m->p + at, n);
	at += n;
	return rdata_name(m, &at, end, out, cap, &n) && at == end ? n : 0;
}
