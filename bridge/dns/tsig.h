/* tsig.h - TSIG (RFC 8945) over raw bytes, with OpenSSL EVP_MAC.
 *
 * Ours and not ldns's: pinned key and algorithm, time window, original id, full-length MACs
 * only, streams with unsigned messages between signed ones.  No sockets, no clock.
 */
#ifndef BRIDGE_DNS_TSIG_H
#define BRIDGE_DNS_TSIG_H

#include "bridge/base/buf.h"
#include "bridge/base/err.h"
#include "bridge/dns/key.h"

enum { TSIG_FUDGE_S = 300, TSIG_MAC_MAX = 64, TSIG_UNSIGNED_MAX = 99 };

struct tsig_mac {
	uint8_t b[TSIG_MAC_MAX];
	size_t len;
};

/* Appends a TSIG record to the message and counts it in ARCOUNT.  *mac: the request MAC that
 * the answer must be checked with. */
int tsig_sign(struct buf *msg, const struct tsig_key *key, int64_t now_s, struct tsig_mac *mac,
	      struct err *e);
/* The other side of it: an answer to a request with that MAC. */
int tsig_sign_answer(struct buf *msg, const struct tsig_key *key, const struct tsig_mac *request,
		     int64_t now_s, struct err *e);
/* Bytes either will add. */
size_t tsig_len(const struct tsig_key *key);

enum tsig_result {
	TSIG_OK = 0,
	TSIG_NONE = 1,       /* no TSIG record */
	TSIG_WRONG = 2,      /* not our key or algorithm, MAC does not hold, malformed */
	TSIG_STALE = 3,      /* holds, but signed outside the window */
};

struct tsig_info {
	uint16_t error;      /* BADSIG, BADKEY, BADTIME... as the message claims */
	int64_t signed_at_s;
	int64_t server_time_s; /* BADTIME's other data; 0: none */
	size_t at;           /* offset of the TSIG record */
};

/* One answer to one signed request.  msg has passed wirecheck.  A verified BADTIME is TSIG_OK
 * with info->error set: "who" is proven, "done" is not. */
enum tsig_result tsig_verify(const uint8_t *msg, size_t len, const struct tsig_key *key,
			     const struct tsig_mac *request, int64_t now_s,
			     struct tsig_info *info);

/* A request of somebody else's; *mac is what its answer is signed with. */
enum tsig_result tsig_verify_request(const uint8_t *msg, size_t len, const struct tsig_key *key,
				     int64_t now_s, struct tsig_mac *mac);

/* A stream of answers to one request (RFC 8945 5.3.1): first and last signed, at most 99
 * unsigned between.  Feed every message; then finish. */
struct tsig_stream;
int tsig_stream_new(struct tsig_stream **out, const struct tsig_key *key,
		    const struct tsig_mac *request, struct err *e);
/* 0 taken; ERR_DENIED: refused, the whole stream is worth nothing. */
int tsig_stream_next(struct tsig_stream *s, const uint8_t *msg, size_t len, int64_t now_s,
		     struct err *e);
/* 0 when the last message fed was signed and held. */
int tsig_stream_finish(struct tsig_stream *s, struct err *e);
void tsig_stream_free(struct tsig_stream *s);
void tsig_stream_freep(struct tsig_stream **s);

#endif
