/* neighbour_json_decode.h - neighbour tables printed as JSON: "ip -j neigh", FreeBSD's
 * "arp --libxo json -an" and "ndp --libxo json -an". */
#ifndef ADAPTERS_NEIGHBOUR_NEIGHBOUR_JSON_DECODE_H
#define ADAPTERS_NEIGHBOUR_NEIGHBOUR_JSON_DECODE_H

#include "adapters/neighbour/neighbour_decode.h"

/* ERR_PROTO when it is no JSON (half an answer, for example) or no neighbour table. */
int neighbour_json_decode(struct obs_batch *into, const char *text, size_t len,
			  const struct neighbour_rules *rules, struct err *e);

#endif
