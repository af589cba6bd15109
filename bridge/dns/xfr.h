/* xfr.h - what every record of a transfer must be, whole zone or changes.
 *
 * Private to dns/.
 */
#ifndef BRIDGE_DNS_XFR_H
#define BRIDGE_DNS_XFR_H

#include "bridge/base/err.h"
#include "bridge/dns/wirecheck.h"

enum { XFR_SOA_MAX = 600, XFR_NAMED_MAX = 6 + 255 };  /* SRV's three numbers and a name */

/* An answer without an error, to this question. */
int xfr_check_head(const struct wire_msg *m, const struct dname *zone, uint16_t id, uint16_t qtype,
		   struct err *e);
/* Class IN and in the zone. */
int xfr_check_record(const struct wire_rr *rr, const struct dname *zone, struct err *e);
/* The zone's SOA as bytes and its serial. */
int xfr_soa(uint8_t out[XFR_SOA_MAX], size_t *n, uint32_t *serial, const struct wire_msg *m,
	    const struct wire_rr *rr, const struct dname *zone, struct err *e);
/* Canonical RDATA, in the message itself or in named; *n 0: of a type whose data is not kept. */
int xfr_rdata(const uint8_t **out, size_t *n, uint8_t named[XFR_NAMED_MAX],
	      const struct wire_msg *m, const struct wire_rr *rr, struct err *e);

#endif
