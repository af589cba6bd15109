/* wirecheck.h - the gate: every byte from a socket passes here before anything else reads it.
 *
 * Checks shape only, trusts nothing, allocates nothing, bounded work: length 12 to 65,535,
 * counts that fit the bytes, names of at most 255 with pointers strictly backwards and at most
 * 128 hops, at most one TSIG and that last, at most one OPT, no trailing bytes.
 */
#ifndef BRIDGE_DNS_WIRECHECK_H
#define BRIDGE_DNS_WIRECHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/value/dname.h"

struct wire_msg {
	const uint8_t *p;
	size_t len;
	uint16_t id, flags, qd, an, ns, ar;
	size_t tsig_at;      /* offset of the TSIG record, 0: none */
};

/* False: not a message we look at; *why says so (static text). */
bool wirecheck(struct wire_msg *out, const uint8_t *p, size_t len, const char **why);

unsigned wire_rcode(const struct wire_msg *m);
unsigned wire_opcode(const struct wire_msg *m);

/* Walks the records of a message that passed.  Sections: 0 question, 1 answer, 2 authority,
 * 3 additional. */
struct wire_rr {
	unsigned section;
	struct dname owner;
	uint16_t type, class_;
	uint32_t ttl_s;
	size_t rdata_at;     /* offset in the message */
	uint16_t rdlen;
};

struct wire_iter {
	const struct wire_msg *m;
	size_t at;
	unsigned section;
	unsigned left;
};

void wire_iter_init(struct wire_iter *it, const struct wire_msg *m);
/* False: no more. */
bool wire_iter_next(struct wire_iter *it, struct wire_rr *out);
/* RDATA with its names decompressed and lower-cased by the type's row in value/rrtype.
 * Returns its length, 0 when malformed or over cap. */
size_t wire_rdata(const struct wire_msg *m, const struct wire_rr *rr, uint8_t *out, size_t cap);

#endif
