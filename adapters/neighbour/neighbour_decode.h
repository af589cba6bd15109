/* neighbour_decode.h - printed neighbour tables to observations.
 *
 * Formats: proc (/proc/net/arp), iproute ("ip -j neigh", or its lines without -j), bsd ("arp -an"
 * and "ndp -an" of the BSDs, macOS and net-tools; told apart line by line).  Only usable
 * entries become observations: resolved, unicast, with a MAC, not answered for by proxy.
 */
#ifndef ADAPTERS_NEIGHBOUR_NEIGHBOUR_DECODE_H
#define ADAPTERS_NEIGHBOUR_NEIGHBOUR_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/base/err.h"
#include "bridge/value/obs.h"

enum neighbour_format {
	NEIGHBOUR_AUTO,
	NEIGHBOUR_KERNEL,  /* not text: neighbour_netlink_decode.h */
	NEIGHBOUR_PROC,
	NEIGHBOUR_IPROUTE,
	NEIGHBOUR_BSD,
};

/* False when s names no format. */
bool neighbour_format_parse(enum neighbour_format *out, const char *s);

/* What all decoders of this folder need to know besides the bytes. */
struct neighbour_rules {
	const char *const *interfaces;  /* only these; n_interfaces 0: all */
	size_t n_interfaces;
	int64_t now_s;    /* Unix; for ages relative to now; 0: the text is older, ignore ages */
	int64_t seen_s;   /* seen_at of entries without an age; 0: not known */
};

bool neighbour_wanted(const struct neighbour_rules *r, const char *name, size_t len);
/* One entry of any format.  lladdr NULL or unusable, no host address: skipped.  raw is the
 * source's own line.  0 or ERR_NOMEM. */
int neighbour_add(struct obs_batch *into, const struct ipaddr *addr, const struct mac *mac,
		  int64_t seen_s, const void *raw, size_t raw_len);

/* The whole text.  Empty text is an empty table.  ERR_PROTO when the text is not empty and not
 * one line of it belongs to a neighbour table; single bad lines are refused in the batch. */
int neighbour_decode(struct obs_batch *into, enum neighbour_format format, const char *text,
		     size_t len, const struct neighbour_rules *rules, struct err *e);

/* Sorts by address and keeps one of several entries of an address: the one confirmed last, then
 * the lowest MAC, so that the answer does not change from pass to pass. */
void neighbour_unique(struct obs_batch *b);

#endif
