/* change.h - all changes at one owner name, as the sections of an UPDATE (RFC 2136 2.4, 2.5).
 *
 * The unit of planning, sending and settling.  Neutral: core builds it, dns/write serialises it,
 * the model server of the simulation applies it.
 */
#ifndef BRIDGE_VALUE_CHANGE_H
#define BRIDGE_VALUE_CHANGE_H

#include "bridge/value/dname.h"
#include "bridge/value/rr.h"

struct change_rr {
	uint16_t type;
	uint16_t class_;       /* IN, NONE or ANY: RFC 2136 gives each its meaning per section */
	uint32_t ttl_s;        /* 0 but for additions */
	uint16_t rdlen;
	const uint8_t *rdata;  /* canonical, uncompressed */
};

struct change {
	struct dname owner;
	struct change_rr *pre;
	size_t n_pre;
	struct change_rr *upd;
	size_t n_upd;
};

/* Bytes the change takes on the wire at most, where its owner is written once and pointed at from
 * then on (in the first 16 KB of a message): for packing. */
size_t change_wire_len(const struct change *c);

#endif
