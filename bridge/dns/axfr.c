/* axfr.c - the state machine of a transfer (RFC 5936): SOA, records, the same SOA.
 *
 * Decides which records belong to the zone and when it is whole.  Knows no socket and no
 * signature.  A zone may come one record per message or all in one; PowerDNS sends the first SOA
 * alone.  AA is not asked for: Knot leaves it out.
 */
#include <inttypes.h>
#include <string.h>

#include "bridge/dns/judge.h"
#include "bridge/dns/transfer.h"
#include "bridge/value/rrtype.h"

enum { AXFR_START, AXFR_BODY, AXFR_DONE, AXFR_BAD };

void axfr_init(struct axfr *x, const struct dname *zone, uint16_t id)
{
	memset(x, 0, sizeof(*x));
	x->zone = *zone;
	x->id = id;
}

static uint32_t soa_serial(const uint8_t *rdata, size_t len)
{
	const uint8_t *p = rdata + len - 20; /* serial, refresh, retry, expire, minimum */

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int take_soa(struct axfr *x, const struct wire_msg *m, const struct wire_rr *rr,
		    struct err *e)
{
	uint8_t soa[sizeof(x->soa)];
	size_t n = wire_rdata(m, rr, soa, sizeof(soa));

	if (n == 0 || !dname_equal(&rr->owner, &x->zone))
		return err_set(e, ERR_PROTO, "a SOA record is malformed or not the zone's");
	if (x->state == AXFR_START) {
		memcpy(x->soa, soa, n);
		x->soa_len = n;
		x->serial = soa_serial(soa, n);
		x->state = AXFR_BODY;
		return 0;
	}
	if (n != x->soa_len || memcmp(x->soa, soa, n) != 0)
		return err_set(e, ERR_PROTO,
			       "the closing SOA (serial %" PRIu32 ") differs from the first "
			       "(serial %" PRIu32 ")",
			       soa_serial(soa, n), x->serial);
	x->state = AXFR_DONE;
	return 0;
}

/* RDATA without a name in it is canonical as it came, so the sink may look into the message. */
static int give(struct axfr *x, const struct wire_msg *m, const struct wire_rr *rr,
		transfer_rr sink, void *arg, struct err *e)
{
	const struct rrtype *row = rrtype_get(rr->type);
	uint8_t named[6 + 255]; /* SRV's three numbers and a name */
	const uint8_t *rdata = NULL;
	size_t n = 0;

	if (row != NULL && (row->flags & RRTYPE_VALUE) != 0) {
		rdata = row->name_at == 255 ? m->p + rr->rdata_at : named;
		n = row->name_at == 255 ? rr->rdlen : wire_rdata(m, rr, named, sizeof(named));
		if (n == 0)
			return err_set(e, ERR_PROTO, "a record's data is malformed");
	}
	x->records++;
	return sink(arg, &rr->owner, rr->type, rr->ttl_s, rdata, n, e);
}

static int take_record(struct axfr *x, const struct wire_msg *m, const struct wire_rr *rr,
		       transfer_rr sink, void *arg, struct err *e)
{
	char owner[DNAME_TEXT];

	if (x->state == AXFR_DONE)
		return err_set(e, ERR_PROTO, "a record follows the closing SOA");
	if (rr->class_ != RR_CLASS_IN)
		return err_set(e, ERR_PROTO, "a record is not of class IN");
	if (rr->type == RR_SOA)
		return take_soa(x, m, rr, e);
	if (x->state == AXFR_START)
		return err_set(e, ERR_PROTO, "the first record is not the zone's SOA");
	if (!dname_under(&rr->owner, &x->zone))
		return err_set(e, ERR_PROTO, "\"%s\" is not in the zone",
			       dname_print(owner, &rr->owner));
	return give(x, m, rr, sink, arg, e);
}

static int check_head(const struct axfr *x, const struct wire_msg *m, struct err *e)
{
	const struct request req = {.id = x->id, .qname = x->zone, .qtype = RR_AXFR,
				    .qclass = RR_CLASS_IN};
	const char *why;

	if (wire_rcode(m) != RCODE_NOERROR)
		return err_set(e, ERR_DENIED, "the server answered %s", rcode_name(wire_rcode(m)));
	/* The question may be left out (RFC 5936 2.2.1). */
	if (!request_matches(&req, m, &why))
		return err_set(e, ERR_PROTO, "%s", why);
	return 0;
}

static int feed(struct axfr *x, const struct wire_msg *m, transfer_rr sink, void *arg,
		struct err *e)
{
	struct wire_iter it;
	struct wire_rr rr;
	int r = check_head(x, m, e);

	wire_iter_init(&it, m);
	while (r == 0 && wire_iter_next(&it, &rr) && rr.section < 2)
		if (rr.section == 1)
			r = take_record(x, m, &rr, sink, arg, e);
	if (r == 0 && x->state == AXFR_START)
		return err_set(e, ERR_PROTO, "the first message holds no record");
	return r;
}

int axfr_feed(struct axfr *x, const struct wire_msg *m, transfer_rr sink, void *arg,
	      struct err *e)
{
	int r;

	if (x->state >= AXFR_DONE)
		return err_set(e, ERR_PROTO, "a message follows the end of the transfer");
	r = feed(x, m, sink, arg, e);
	if (r != 0) {
		x->state = AXFR_BAD;
		return r < 0 ? r : err_set(e, ERR_BUG, "the sink of a transfer answered %d", r);
	}
	return x->state == AXFR_DONE;
}
