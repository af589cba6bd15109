/* notify.c - see notify.h. */
#include "bridge/dns/notify.h"

#include <string.h>

#include "bridge/core/outcome.h"
#include "bridge/dns/wirecheck.h"
#include "bridge/value/rrtype.h"
#include "bridge/value/wirelen.h"

enum { FLAG_QR = 0x8000, FLAG_AA = 0x0400, FLAG_TC = 0x0200, OPCODE_SHIFT = 11, OPCODE_NOTIFY = 4 };

static bool no(struct notify *n, uint8_t rcode, const char *why)
{
	n->rcode = rcode;
	n->why = why;
	return false;
}

/* One question, for the SOA of a zone (RFC 1996 3.7). */
static bool read_question(struct notify *n, const struct wire_msg *m)
{
	struct wire_iter it;
	struct wire_rr q;

	wire_iter_init(&it, m);
	if (m->qd != 1 || !wire_iter_next(&it, &q) || q.section != 0)
		return no(n, RCODE_FORMERR, "it has not one question");
	n->zone = q.owner;
	if (q.class_ != RR_CLASS_IN || q.type != RR_SOA)
		return no(n, RCODE_FORMERR, "it is not about the SOA of a zone");
	return true;
}

static bool read_signature(struct notify *n, const struct wire_msg *m,
			   const struct tsig_key *const *keys, size_t n_keys, int64_t now_s)
{
	size_t i;

	if (m->tsig_at == 0)
		return true;
	for (i = 0; i < n_keys; i++) {
		if (tsig_verify_request(m->p, m->len, keys[i], now_s, &n->mac) != TSIG_OK)
			continue;
		n->key = keys[i];
		return true;
	}
	return no(n, RCODE_NOTAUTH, "its signature is of no key of the server, or does not hold");
}

bool notify_read(struct notify *out, const uint8_t *p, size_t len,
		 const struct tsig_key *const *keys, size_t n_keys, int64_t now_s)
{
	struct wire_msg m;
	const char *why;

	memset(out, 0, sizeof(*out));
	if (len < WIRE_HEADER || (p[2] & 0x80) != 0)
		return false;
	out->id = (uint16_t)(p[0] << 8 | p[1]);
	out->flags = (uint16_t)(p[2] << 8 | p[3]);
	if ((out->flags >> OPCODE_SHIFT & 15) != OPCODE_NOTIFY)
		no(out, RCODE_NOTIMP, "it is no NOTIFY");
	else if (len > NOTIFY_MAX || !wirecheck(&m, p, len, &why) || (m.flags & FLAG_TC) != 0)
		no(out, RCODE_FORMERR, "it is malformed");
	else if (read_question(out, &m))
		read_signature(out, &m, keys, n_keys, now_s);
	return true;
}

int notify_answer(struct buf *out, const struct notify *n, uint8_t rcode, int64_t now_s,
		  struct err *e)
{
	bool named = n->zone.len > 0;

	buf_u16(out, n->id);
	buf_u16(out, (uint16_t)(FLAG_QR | FLAG_AA | (n->flags & 15 << OPCODE_SHIFT) | rcode));
	buf_u16(out, named);
	buf_u32(out, 0);
	buf_u16(out, 0);
	if (named) {
		buf_add(out, n->zone.b, n->zone.len);
		buf_u16(out, RR_SOA);
		buf_u16(out, RR_CLASS_IN);
	}
	if (n->key != NULL)
		return tsig_sign_answer(out, n->key, &n->mac, now_s, e);
	return out->bad ? err_nomem(e) : 0;
}
