/* digest.h - what a zone should show, as 16 bytes an owner: the memory bound of a full compare.
 *
 * Filled from the store (owner name -> sum of record digests), then asked for each owner that a
 * transfer shows.  Keyed hashes: names come from clients.  Private to flow/.
 */
#ifndef BRIDGE_FLOW_DIGEST_H
#define BRIDGE_FLOW_DIGEST_H

#include <stdbool.h>

#include "bridge/base/hash.h"
#include "bridge/value/dname.h"

struct digest_slot {
	uint64_t owner;   /* 0: free */
	uint64_t sum;     /* digest of its records; its lowest bit is given to "matched" */
};

struct digest {
	struct hash_key key;
	struct digest_slot *slots;
	size_t cap, n;
};

void digest_init(struct digest *d, uint64_t k0, uint64_t k1);
void digest_fini(struct digest *d);
/* 0 or ERR_NOMEM. */
int digest_add(struct digest *d, const struct dname *owner, uint64_t sum);
/* The transfer shows this owner with this sum: true when it is as expected (and marked so). */
bool digest_match(struct digest *d, const struct dname *owner, uint64_t sum);
/* Was the owner shown as expected? */
bool digest_matched(const struct digest *d, const struct dname *owner);
/* Owners that were never shown as expected. */
size_t digest_unmatched(const struct digest *d);

#endif
