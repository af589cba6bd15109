/* ixfr.c - the state machine of an incremental transfer (RFC 1995 4): the SOA that is, then for
 * each step the SOA it began from, what went, the SOA it led to, what came; the SOA that is again.
 *
 * Knows no socket and no signature.  PowerDNS sends its first SOA alone, so the second record
 * decides which form it is, not the first message.  Whatever is no such chain is TRANSFER_WHOLE:
 * a whole transfer puts everything right.
 */
#include <string.h>

#include "bridge/dns/transfer.h"
#include "bridge/dns/xfr.h"
#include "bridge/value/rrtype.h"
#include "bridge/value/wirelen.h"

enum { IXFR_START, IXFR_SECOND, IXFR_GONE, IXFR_CAME, IXFR_DONE, IXFR_BAD };

void ixfr_init(struct ixfr *x, const struct dname *zone, uint16_t id, uint32_t since)
{
	memset(x, 0, sizeof(*x));
	x->zone = *zone;
	x->id = id;
	x->at = since;
}

bool ixfr_is_lone(const struct ixfr *x)
{
	return x->state == IXFR_SECOND;
}

static int first_soa(struct ixfr *x, const uint8_t *soa, size_t n, uint32_t serial)
{
	memcpy(x->soa, soa, n);
	x->soa_len = n;
	x->serial = serial;
	x->state = IXFR_SECOND;
	return serial_newer(x->at, serial) ? 0 : TRANSFER_WHOLE;
}

/* Behind what came: the end, or where the next step begins. */
static int after_step(struct ixfr *x, const uint8_t *soa, size_t n, uint32_t serial)
{
	if (serial != x->at)
		return TRANSFER_WHOLE;
	x->state = IXFR_GONE;
	if (serial != x->serial)
		return 0;
	x->state = IXFR_DONE;
	return n == x->soa_len && memcmp(soa, x->soa, n) == 0 ? 0 : TRANSFER_WHOLE;
}

static int take_soa(struct ixfr *x, const struct wire_msg *m, const struct wire_rr *rr,
		    struct err *e)
{
	uint8_t soa[XFR_SOA_MAX];
	uint32_t serial;
	size_t n;
	int r = xfr_soa(soa, &n, &serial, m, rr, &x->zone, e);

	if (r < 0)
		return r;
	if (x->state == IXFR_START)
		return first_soa(x, soa, n, serial);
	if (x->state == IXFR_CAME)
		return after_step(x, soa, n, serial);
	if (x->state == IXFR_SECOND) {
		x->state = IXFR_GONE;
		return serial == x->at ? 0 : TRANSFER_WHOLE;
	}
	/* A step leads on, and never beyond the end. */
	if (!serial_newer(x->at, serial) || serial_newer(x->serial, serial))
		return TRANSFER_WHOLE;
	x->at = serial;
	x->state = IXFR_CAME;
	return 0;
}

static int take_record(struct ixfr *x, const struct wire_msg *m, const struct wire_rr *rr,
		       transfer_change sink, void *arg, struct err *e)
{
	uint8_t named[XFR_NAMED_MAX];
	const uint8_t *rdata;
	size_t n;
	int r;

	if (x->state == IXFR_DONE)
		return err_set(e, ERR_PROTO, "a record follows the closing SOA");
	r = xfr_check_record(rr, &x->zone, e);
	if (r < 0)
		return r;
	if (rr->type == RR_SOA)
		return take_soa(x, m, rr, e);
	if (x->state == IXFR_START)
		return err_set(e, ERR_PROTO, "the first record is not the zone's SOA");
	if (x->state == IXFR_SECOND)
		return TRANSFER_WHOLE;
	r = xfr_rdata(&rdata, &n, named, m, rr, e);
	if (r < 0)
		return r;
	x->records++;
	return sink(arg, x->state == IXFR_CAME, &rr->owner, rr->type, rdata, n, e);
}

static int feed(struct ixfr *x, const struct wire_msg *m, transfer_change sink, void *arg,
		struct err *e)
{
	struct wire_iter it;
	struct wire_rr rr;
	int r = xfr_check_head(m, &x->zone, x->id, RR_IXFR, e);

	wire_iter_init(&it, m);
	while (r == 0 && wire_iter_next(&it, &rr) && rr.section < 2)
		if (rr.section == 1)
			r = take_record(x, m, &rr, sink, arg, e);
	if (r == 0 && x->state == IXFR_START)
		return err_set(e, ERR_PROTO, "the first message holds no record");
	return r;
}

int ixfr_feed(struct ixfr *x, const struct wire_msg *m, transfer_change sink, void *arg,
	      struct err *e)
{
	int r;

	if (x->state >= IXFR_DONE)
		return err_set(e, ERR_PROTO, "a message follows the end of the transfer");
	r = feed(x, m, sink, arg, e);
	if (r != 0) {
		x->state = IXFR_BAD;
		return r < 0 || r == TRANSFER_WHOLE
			       ? r
			       : err_set(e, ERR_BUG, "the sink of a transfer answered %d", r);
	}
	return x->state == IXFR_DONE;
}
