/* rrtype.h - the table of record types: one row decides everything that depends on the type.
 *
 * Whoever adds a record type adds a row in rrtype.c; there is no other switch on type.
 */
#ifndef BRIDGE_VALUE_RRTYPE_H
#define BRIDGE_VALUE_RRTYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/base/buf.h"

enum {
	RR_A = 1, RR_NS = 2, RR_CNAME = 5, RR_SOA = 6, RR_PTR = 12, RR_MX = 15, RR_TXT = 16,
	RR_AAAA = 28, RR_SRV = 33, RR_DNAME = 39, RR_OPT = 41, RR_DS = 43, RR_RRSIG = 46,
	RR_NSEC = 47, RR_DNSKEY = 48, RR_DHCID = 49, RR_NSEC3 = 50, RR_NSEC3PARAM = 51,
	RR_TSIG = 250, RR_IXFR = 251, RR_AXFR = 252, RR_ANY = 255,
};

enum { RR_CLASS_IN = 1, RR_CLASS_NONE = 254, RR_CLASS_ANY = 255 };

enum rrtype_flag {
	RRTYPE_MANAGED = 1,  /* the bridge writes it: A, AAAA, PTR, DHCID */
	RRTYPE_VALUE = 2,    /* its RDATA is kept for foreign owners too; others only "is there" */
	RRTYPE_SIGNER = 4,   /* made by a signing server (RRSIG, NSEC, ...): never looked at */
	RRTYPE_TARGET = 8,   /* its target name is protected (NS, MX, SRV, CNAME) */
};

struct rrtype {
	uint16_t type;
	const char *name;
	unsigned flags;
	/* Canonical RDATA (names lower case, uncompressed) to text and back; parse answers false
	 * when the text is no such RDATA.  NULL when RRTYPE_VALUE is not set. */
	void (*print)(struct buf *out, const uint8_t *rdata, uint16_t len);
	bool (*parse)(struct buf *out, const char *s, uint16_t len);
	uint8_t name_at;     /* offset of the one domain name in the RDATA, 255: none */
};

/* A row for known types; for the others a row with name "TYPEn" is not made: NULL. */
const struct rrtype *rrtype_get(uint16_t type);
bool rrtype_has(uint16_t type, enum rrtype_flag flag);
/* "AAAA", or "TYPE65534"; out at least 12 bytes. */
const char *rrtype_name(char out[12], uint16_t type);
/* 0 when s names no type. */
uint16_t rrtype_parse(const char *s, size_t len);

#endif
