/* rr.h - records of one owner as a set: canonical RDATA, sorted, without TTL.
 *
 * The text form is what the database keeps and people read: one "TYPE rdata" per line, lines in
 * order of (type number, RDATA bytes), names absolute with the final dot, DHCID in base64, no
 * line end after the last.  A record whose RDATA is not kept (rrtype.h) has rdlen 0 and reads
 * "TXT *": the type is present, with a value that is no business of ours.
 * Equal sets have equal text.
 */
#ifndef BRIDGE_VALUE_RR_H
#define BRIDGE_VALUE_RR_H

#include "bridge/base/arena.h"
#include "bridge/base/buf.h"
#include "bridge/base/err.h"
#include "bridge/value/dname.h"
#include "bridge/value/ipaddr.h"
#include "bridge/value/rrtype.h"

struct rr {
	uint16_t type;
	uint16_t rdlen;
	const uint8_t *rdata;  /* borrowed, usually from an arena */
};

/* Grows by rrs_add alone, which takes the room from n: start with {NULL, 0}.  A copy by assignment
 * shares the array: read both, add to neither. */
struct rrs {
	struct rr *v;
	size_t n;
};

int rr_cmp(const struct rr *a, const struct rr *b);

/* Adds a copy in its place; a record that is there already is no error.  0 or ERR_NOMEM. */
int rrs_add(struct rrs *s, struct arena *a, uint16_t type, const void *rdata, size_t rdlen);
int rrs_add_addr(struct rrs *s, struct arena *a, const struct ipaddr *addr);
int rrs_add_name(struct rrs *s, struct arena *a, uint16_t type, const struct dname *target);
/* The records of one type lie together: returns how many, *first points at them. */
size_t rrs_of(const struct rrs *s, uint16_t type, const struct rr **first);
bool rrs_has(const struct rrs *s, const struct rr *r);
bool rrs_equal(const struct rrs *a, const struct rrs *b);
bool rrs_equal_of(const struct rrs *a, const struct rrs *b, uint16_t type);
/* Is every record in a, or every one of that type, also in b? */
bool rrs_within(const struct rrs *a, const struct rrs *b);
bool rrs_within_of(const struct rrs *a, const struct rrs *b, uint16_t type);
/* Is any? */
bool rrs_meets(const struct rrs *a, const struct rrs *b);
bool rrs_meets_of(const struct rrs *a, const struct rrs *b, uint16_t type);
/* Copies the records of one type from src into dst.  0 or ERR_NOMEM. */
int rrs_take_of(struct rrs *dst, struct arena *a, const struct rrs *src, uint16_t type);
/* Only the types the bridge writes.  0 or ERR_NOMEM. */
int rrs_managed(struct rrs *dst, struct arena *a, const struct rrs *src);
int rrs_dup(struct rrs *dst, struct arena *a, const struct rrs *src);
/* The single name in the RDATA of a PTR, CNAME, NS, DNAME, MX or SRV; false for other types. */
bool rr_target(struct dname *out, const struct rr *r);
bool rr_addr(struct ipaddr *out, const struct rr *r);

void rr_print(struct buf *out, const struct rr *r);
void rrs_print(struct buf *out, const struct rrs *s);
/* The text form back; ERR_PROTO when it is not canonical text. */
int rrs_parse(struct rrs *out, struct arena *a, const char *s, size_t len, struct err *e);
/* Order-free digest of a set: the sum of keyed record hashes, so that a stream can add records
 * as they come.  rr_digest never returns 0. */
struct hash_key;
uint64_t rr_digest(const struct hash_key *key, uint16_t type, const uint8_t *rdata, size_t rdlen);
uint64_t rrs_digest(const struct hash_key *key, const struct rrs *s);

#endif
