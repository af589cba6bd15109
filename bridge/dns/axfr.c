/* axfr.c - the state machine of a transfer (RFC 5936): SOA, records, the same SOA.
 *
 * Decides which records belong to the zone and when it is whole.  Knows no socket and no
 * signature.  A zone may come one record per message or all in one; PowerDNS sends the first SOA
 * alone.  AA is not asked for: Knot leaves it out.
 */
#include <inttypes.h>
#include <string.h>

#include "bridge/dns/transfer.h"
#include "bridge/dns/xfr.h"
#include "bridge/value/rrtype.h"

enum { AXFR_START, AXFR_BODY, AXFR_DONE, AXFR_BAD };

void axfr_init(struct axfr *x, const struct dname *zone, uint16_t id)
{
	memset(x, 0, sizeof(*x));
	x->zone = *zone;
	x->id = id;
}

static int take_soa(struct axfr *x, const struct wire_msg *m, const struct wire_rr *rr,
		    struct err *e)
{
	uint8_t soa[XFR_SOA_MAX];
	uint32_t serial;
	size_t n;
	int r = xfr_soa(soa, &n, &serial, m, rr, &x->zone, e);

	if (r < 0)
		return r;
	if (x->state == AXFR_START) {
		memcpy(x->soa, soa, n);
		x->soa_len = n;
		x->serial = serial;
		x->state = AXFR_BODY;
		return 0;
	}
	if (n != x->soa_len || memcmp(x->soa, soa, n) != 0)
		return err_set(e, ERR_PROTO,
			       "the closing SOA (serial %" PRIu32 ") differs from the first "
			       "(serial %" PRIu32 ")",
			       serial, x->serial);
	x->state = AXFR_DONE;
	return 0;
}

static int give(struct axfr *x, const struct wire_msg *m, const struct wire_rr *rr,
		transfer_rr sink, void *arg, struct err *e)
{
	uint8_t named[XFR_NAMED_MAX];
	const uint8_t *rdata;
	size_t n;
	int r = xfr_rdata(&rdata, &n, named, m, rr, e);

	if (r < 0)
		return r;
	x->records++;
	return sink(arg, &rr->owner, rr->type, rr->ttl_s, rdata, n, e);
}

static int take_record(struct axfr *x, const struct wire_msg *m, const struct wire_rr *rr,
		       transfer_rr sink, void *arg, struct err *e)
{
	int r;

	if (x->state == AXFR_DONE)
		return err_set(e, ERR_PROTO, "a record follows the closing SOA");
	r = xfr_check_record(rr, &x->zone, e);
	if (r < 0)
		return r;
	if (rr->type == RR_SOA)
		return take_soa(x, m, rr, e);
	if (x->state == AXFR_START)
		return err_set(e, ERR_PROTO, "the first record is not the zone's SOA");
	return give(x, m, rr, sink, arg, e);
}

static int feed(struct axfr *x, const struct wire_msg *m, transfer_rr sink, void *arg,
		struct err *e)
{
	struct wire_iter it;
	struct wire_rr rr;
	int r = xfr_check_head(m, &x->zone, x->id, RR_AXFR, e);

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
