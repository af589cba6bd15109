/* lookup.c - see lookup.h. */
#include "bridge/dns/lookup.h"

#include <stdlib.h>

#include "bridge/base/own.h"
#include "bridge/base/vec.h"
#include "bridge/dns/write.h"
#include "bridge/value/rrtype.h"

/* Asked one by one, because Knot answers ANY with one RRset (RFC 8482); ANY is for what else there
 * is on servers that tell. */
static const uint16_t forward_types[] = {RR_A, RR_AAAA, RR_DHCID, RR_CNAME, RR_NS, RR_DNAME,
					 RR_MX, RR_SRV, RR_TXT, RR_ANY};
static const uint16_t reverse_types[] = {RR_PTR, RR_DHCID, RR_CNAME, RR_NS, RR_DNAME, RR_ANY};

struct job {
	struct exchange *x;
	const struct lookup_zone *z;
	struct lookup *v;
	size_t n;
	const uint16_t *types;
	size_t n_types;
	size_t sent;                 /* questions, of n * n_types */
	VEC(uint64_t) again;         /* those whose connection ended before the answer */
	size_t barren;               /* of these since the last answer */
	uint8_t *heard;              /* of each owner: answers that say something */
	int64_t until_ms;
	struct arena *a;
	bool failed;                 /* *e is set */
};

/* ---- one answer ------------------------------------------------------------------------- */

/* Answers, and the NS of a delegation at this very name, which a referral shows as authority. */
static bool is_about(const struct lookup *l, const struct wire_rr *rr)
{
	if (rr->class_ != RR_CLASS_IN || !dname_equal(&rr->owner, l->owner) ||
	    rrtype_has(rr->type, RRTYPE_SIGNER) || rr->type == RR_SOA)
		return false;
	return rr->section == 1 || (rr->section == 2 && rr->type == RR_NS);
}

/* A referral shows the NS of the cut, another zone of the server its SOA or NS (RFC 2308 2.1), a DNAME
 * above comes with what it makes (RFC 6672 3.1). */
static bool is_cut(const struct job *j, const struct lookup *l, const struct wire_rr *rr)
{
	bool names = (rr->section == 2 && (rr->type == RR_NS || rr->type == RR_SOA)) ||
		     (rr->section == 1 && rr->type == RR_DNAME);

	return names && rr->class_ == RR_CLASS_IN && !dname_equal(&rr->owner, j->z->name) &&
	       dname_under(&rr->owner, j->z->name) && !dname_equal(&rr->owner, l->owner) &&
	       dname_under(l->owner, &rr->owner);
}

static int take_record(const struct job *j, struct lookup *l, const struct wire_msg *m,
		       const struct wire_rr *rr, struct err *e)
{
	uint8_t rdata[1024];
	size_t len = 0;

	if (is_cut(j, l, rr))
		l->cut = rr->owner;
	if (!is_about(l, rr))
		return 0;
	if (rrtype_has(rr->type, RRTYPE_VALUE)) {
		len = wire_rdata(m, rr, rdata, sizeof(rdata));
		if (len == 0)
			return err_set(e, ERR_PROTO, "server \"%s\" sent a malformed record",
				       j->z->s->name);
	}
	return rrs_add(&l->seen, j->a, rr->type, rdata, len) < 0 ? err_nomem(e) : 0;
}

static int take_reply(const struct job *j, struct lookup *l, const struct buf *reply, bool any,
		      struct err *e)
{
	struct wire_iter it;
	struct wire_msg m;
	struct wire_rr rr;
	const char *why;
	unsigned rcode;
	int r = 0;

	if (!wirecheck(&m, (const uint8_t *)reply->p, reply->len, &why))
		return err_set(e, ERR_PROTO, "server \"%s\": %s", j->z->s->name, why);
	rcode = wire_rcode(&m);
	/* A server may refuse ANY and answer the rest. */
	if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
		return any ? 0 : err_set(e, ERR_DENIED, "server \"%s\" answered %s to a query",
					 j->z->s->name, rcode_name(rcode));
	wire_iter_init(&it, &m);
	while (r == 0 && wire_iter_next(&it, &rr))
		r = take_record(j, l, &m, &rr, e);
	return r;
}

/* One that says nothing leaves its owner unanswered; the others go on. */
static int take(struct job *j, uint64_t tag, const struct buf *reply, struct err *e)
{
	size_t i = tag / j->n_types, t = tag % j->n_types;
	struct err why = {0};
	int r = take_reply(j, &j->v[i], reply, j->types[t] == RR_ANY, &why);

	if (r == 0) {
		j->v[i].got = ++j->heard[i] == j->n_types;
		return 0;
	}
	if (!j->failed && e != NULL)
		*e = why;
	j->failed = true;
	return r == ERR_NOMEM ? r : 0;
}

/* ---- all of them ------------------------------------------------------------------------ */

static int send_question(struct job *j, uint64_t tag, struct buf *msg, struct err *e)
{
	int r;

	buf_reset(msg);
	r = write_query(msg, 0, j->v[tag / j->n_types].owner, j->types[tag % j->n_types], e);
	return r < 0 ? r : exchange_send(j->x, msg, tag, e);
}

static int ask_more(struct job *j, struct buf *msg, struct err *e)
{
	unsigned window = j->z->s->window;
	int r = 0;

	while (r == 0 && exchange_in_flight(j->x) < window) {
		if (j->again.n > 0)
			r = send_question(j, j->again.v[--j->again.n], msg, e);
		else if (j->sent < j->n * j->n_types)
			r = send_question(j, j->sent++, msg, e);
		else
			break;
	}
	return r;
}

/* Servers end connections when it pleases them (RFC 7766 6.2.3), with all that is under way: as long
 * as each gives an answer before, the other questions are asked again. */
static bool is_asked_again(struct job *j, const struct answer *answer)
{
	return (answer->end == ANSWER_LOST || answer->end == ANSWER_UNSENT) &&
	       ++j->barren <= j->z->s->window;
}

static int ask_again(struct job *j, uint64_t tag, struct err *e)
{
	return vec_push(&j->again, tag) < 0 ? err_nomem(e) : 0;
}

static int hear(struct job *j, struct buf *reply, struct err *e)
{
	struct answer answer = {0};
	uint64_t tag = 0;
	int r;

	buf_reset(reply);
	r = exchange_collect(&j->x, 1, j->until_ms, &tag, &answer, reply, e);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(e, ERR_BUSY, "server \"%s\": the time for queries is over",
			       j->z->s->name);
	if (is_asked_again(j, &answer))
		return ask_again(j, tag, e);
	if (answer.end != ANSWER_REPLY || (!answer.verified && j->z->s->key != NULL))
		return err_set(e, answer.end == ANSWER_REPLY ? ERR_PROTO : ERR_BUSY,
			       "server \"%s\": %s", j->z->s->name, outcome_of(&answer)->what);
	j->barren = 0;
	return take(j, tag, reply, e);
}

static int run(struct job *j, struct err *e)
{
	AUTO(buf_fini) struct buf msg = BUF_INIT, reply = BUF_INIT;
	int r = ask_more(j, &msg, e);

	while (r == 0 && exchange_in_flight(j->x) > 0) {
		r = hear(j, &reply, e);
		r = r < 0 ? r : ask_more(j, &msg, e);
	}
	return r;
}

int lookup_owners(struct exchange *x, const struct lookup_zone *z, struct lookup *v, size_t n,
		  int64_t until_ms, struct arena *a, struct err *e)
{
	AUTO(own_freep) uint8_t *heard = calloc(n + 1, 1);
	struct job j = {.x = x, .z = z, .v = v, .n = n, .heard = heard, .until_ms = until_ms, .a = a};
	size_t i;
	int r;

	if (heard == NULL)
		return err_nomem(e);
	j.types = z->reverse ? reverse_types : forward_types;
	j.n_types = z->reverse ? sizeof(reverse_types) / sizeof(*reverse_types)
			       : sizeof(forward_types) / sizeof(*forward_types);
	for (i = 0; i < n; i++) {
		v[i].got = false;
		v[i].seen = (struct rrs){NULL, 0};
		v[i].cut.len = 0;
	}
	j.barren = z->s->window;
	r = run(&j, e);
	vec_fini(&j.again);
	return r;
}
