/* judge.c - decides whether a message answers a request, and how far it can be believed. */
#include "bridge/dns/judge.h"

#include "bridge/dns/tsig_wire.h"
#include "bridge/value/wirelen.h"

enum { FLAG_QR = 0x8000, FLAG_TC = 0x0200, OPCODE_UPDATE = 5 };

bool request_read(struct request *out, struct buf *msg, uint16_t id)
{
	uint8_t *p = (uint8_t *)msg->p;
	size_t n;

	if (msg->len < WIRE_HEADER + 5 || msg->len > WIRE_MESSAGE_MAX || p[4] != 0 || p[5] != 1)
		return false;
	n = dname_from_wire(&out->qname, p + WIRE_HEADER, msg->len - WIRE_HEADER);
	if (n == 0 || msg->len - WIRE_HEADER - n < 4)
		return false;
	p[0] = (uint8_t)(id >> 8);
	p[1] = (uint8_t)id;
	out->id = id;
	out->opcode = p[2] >> 3 & 15;
	p += WIRE_HEADER + n;
	out->qtype = (uint16_t)(p[0] << 8 | p[1]);
	out->qclass = (uint16_t)(p[2] << 8 | p[3]);
	return true;
}

static bool question_matches(const struct request *req, const struct wire_msg *m)
{
	struct wire_iter it;
	struct wire_rr q;

	wire_iter_init(&it, m);
	return wire_iter_next(&it, &q) && q.section == 0 && q.type == req->qtype &&
	       q.class_ == req->qclass && dname_equal(&q.owner, &req->qname);
}

bool request_matches(const struct request *req, const struct wire_msg *m, const char **why)
{
	if (m->id != req->id)
		*why = "an answer with another id was ignored";
	else if ((m->flags & FLAG_QR) == 0)
		*why = "a message that is no answer was ignored";
	else if (wire_opcode(m) != req->opcode)
		*why = "an answer with another opcode was ignored";
	else if ((m->flags & FLAG_TC) != 0)
		*why = "a truncated answer was ignored";
	else if (m->qd > 1 || (m->qd == 1 && !question_matches(req, m)))
		*why = "an answer to another question was ignored";
	else
		return true;
	return false;
}

/* A server that does not know our key can't sign its refusal; BIND and Knot say so in a TSIG
 * with an error and an empty MAC (RFC 8945 5.2), PowerDNS leaves the TSIG out. */
static bool may_be_unsigned(const struct wire_msg *m, const struct tsig_info *info)
{
	struct tsig_rr t;

	switch (wire_rcode(m)) {
	case RCODE_NOTAUTH:
		return m->tsig_at == 0 ||
		       ((info->error == TSIG_BADSIG || info->error == TSIG_BADKEY) &&
			tsig_rr_parse(&t, m) && t.mac_len == 0);
	case RCODE_REFUSED:
	case RCODE_FORMERR:
	case RCODE_SERVFAIL:
	case RCODE_NOTIMP:
		return m->tsig_at == 0;
	default:
		return false;
	}
}

enum judgement judge(struct answer *out, const struct wire_msg *m, const struct request *req,
		     const struct tsig_key *key, const struct tsig_mac *mac, int64_t now_s,
		     const char **why)
{
	struct tsig_info info = {0};
	enum tsig_result r;

	if (!request_matches(req, m, why))
		return JUDGE_NOTHING;
	/* RFC 2136 3.8 lets an answer to an UPDATE leave the zone out; errors often come bare. */
	if (m->qd == 0 && req->opcode != OPCODE_UPDATE && wire_rcode(m) == RCODE_NOERROR) {
		*why = "an answer without its question was ignored";
		return JUDGE_NOTHING;
	}
	*out = (struct answer){.end = ANSWER_REPLY, .rcode = (uint8_t)wire_rcode(m)};
	if (key == NULL)
		return JUDGE_ANSWER;
	r = tsig_verify(m->p, m->len, key, mac, now_s, &info);
	out->tsig_error = info.error;
	if (r == TSIG_OK) {
		out->verified = true;
		out->clock_diff_s = info.server_time_s != 0 ? info.server_time_s - now_s : 0;
		return JUDGE_ANSWER;
	}
	if (may_be_unsigned(m, &info))
		return JUDGE_DOUBT;
	*why = r == TSIG_NONE	 ? "an unsigned answer was ignored" :
	       r == TSIG_STALE ? "an answer signed outside the time window was ignored" :
				 "an answer whose signature does not hold was ignored";
	return JUDGE_NOTHING;
}
