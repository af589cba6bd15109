/* tsig_wire.h - what one message and a stream share: the record's fields and its digest.
 *
 * Private to bridge/dns.
 */
#ifndef BRIDGE_DNS_TSIG_WIRE_H
#define BRIDGE_DNS_TSIG_WIRE_H

#include "bridge/dns/tsig.h"
#include "bridge/dns/wirecheck.h"

struct evp_mac_ctx_st;

/* The RDATA of a TSIG record (RFC 8945 4.2), pointing into its message. */
struct tsig_rr {
	struct dname owner;
	const uint8_t *alg;
	size_t alg_len;
	int64_t signed_at_s;
	uint16_t fudge_s;
	const uint8_t *mac;
	size_t mac_len;
	uint16_t original_id, error;
	const uint8_t *other;
	size_t other_len;
};

/* False: no TSIG, or one whose fields do not fill it exactly. */
bool tsig_rr_parse(struct tsig_rr *out, const struct wire_msg *m);
/* Our key's name and algorithm? */
bool tsig_rr_is(const struct tsig_rr *t, const struct tsig_key *key);
/* Is now within the fudge of both sides? */
bool tsig_rr_timely(const struct tsig_rr *t, int64_t now_s);

/* A context with the key in it, made anew (key.c) or dup'ed from the key's; NULL: no memory. */
struct evp_mac_ctx_st *key_mac_new(const struct tsig_key *key);
struct evp_mac_ctx_st *tsig_ctx_new(const struct tsig_key *key);
void tsig_ctx_freep(struct evp_mac_ctx_st **c);
bool tsig_ctx_mac(struct evp_mac_ctx_st *c, const uint8_t *mac, size_t len);
/* The message as it was before it was signed: the original id, no TSIG. */
bool tsig_ctx_msg(struct evp_mac_ctx_st *c, const struct wire_msg *m, uint16_t original_id);
/* The TSIG variables of a first message, or only the timers of a later one. */
bool tsig_ctx_variables(struct evp_mac_ctx_st *c, const struct tsig_key *key,
			const struct tsig_rr *t);
bool tsig_ctx_timers(struct evp_mac_ctx_st *c, const struct tsig_rr *t);
/* Finishes c and compares; full length only (RFC 8945 5.2.2.1 lets us ask for that). */
bool tsig_ctx_holds(struct evp_mac_ctx_st *c, const struct tsig_key *key, const struct tsig_rr *t);

#endif
