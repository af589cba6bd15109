/* xfr.c - see xfr.h. */
#include "bridge/dns/xfr.h"

#include "bridge/dns/judge.h"
#include "bridge/dns/transfer.h"
#include "bridge/value/rrtype.h"

int xfr_check_head(const struct wire_msg *m, const struct dname *zone, uint16_t id, uint16_t qtype,
		   struct err *e)
{
	const struct request req = {.id = id, .qname = *zone, .qtype = qtype,
				    .qclass = RR_CLASS_IN};
	const char *why;

	if (wire_rcode(m) != RCODE_NOERROR)
		return err_set(e, ERR_DENIED, "the server answered %s", rcode_name(wire_rcode(m)));
	/* The question may be left out (RFC 5936 2.2.1). */
	if (!request_matches(&req, m, &why))
		return err_set(e, ERR_PROTO, "%s", why);
	return 0;
}

int xfr_check_record(const struct wire_rr *rr, const struct dname *zone, struct err *e)
{
	char owner[DNAME_TEXT];

	if (rr->class_ != RR_CLASS_IN)
		return err_set(e, ERR_PROTO, "a record is not of class IN");
	if (rr->type != RR_SOA && !dname_under(&rr->owner, zone))
		return err_set(e, ERR_PROTO, "\"%s\" is not in the zone",
			       dname_print(owner, &rr->owner));
	return 0;
}

int xfr_soa(uint8_t out[XFR_SOA_MAX], size_t *n, uint32_t *serial, const struct wire_msg *m,
	    const struct wire_rr *rr, const struct dname *zone, struct err *e)
{
	const uint8_t *p;

	*n = wire_rdata(m, rr, out, XFR_SOA_MAX);
	if (*n == 0 || !dname_equal(&rr->owner, zone))
		return err_set(e, ERR_PROTO, "a SOA record is malformed or not the zone's");
	p = out + *n - 20; /* serial, refresh, retry, expire, minimum */
	*serial = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return 0;
}

/* RDATA without a name in it is canonical as it came, so the caller may look into the message. */
int xfr_rdata(const uint8_t **out, size_t *n, uint8_t named[XFR_NAMED_MAX],
	      const struct wire_msg *m, const struct wire_rr *rr, struct err *e)
{
	const struct rrtype *row = rrtype_get(rr->type);

	*out = NULL;
	*n = 0;
	if (row == NULL || (row->flags & RRTYPE_VALUE) == 0)
		return 0;
	*out = row->name_at == 255 ? m->p + rr->rdata_at : named;
	*n = row->name_at == 255 ? rr->rdlen : wire_rdata(m, rr, named, XFR_NAMED_MAX);
	return *n == 0 ? err_set(e, ERR_PROTO, "a record's data is malformed") : 0;
}
