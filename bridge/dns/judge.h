/* judge.h - is this message the answer to that request?  Pure: no socket, no clock.
 *
 * Private to bridge/dns.
 */
#ifndef BRIDGE_DNS_JUDGE_H
#define BRIDGE_DNS_JUDGE_H

#include "bridge/base/buf.h"
#include "bridge/core/outcome.h"
#include "bridge/dns/tsig.h"
#include "bridge/dns/wirecheck.h"

/* What an answer must repeat. */
struct request {
	uint16_t id;
	uint8_t opcode;
	struct dname qname;
	uint16_t qtype, qclass;
};

/* Notes it from the message, which gets the id.  False: not a message with one question. */
bool request_read(struct request *out, struct buf *msg, uint16_t id);
/* id, QR, opcode, TC; and the question, if there is one. */
bool request_matches(const struct request *req, const struct wire_msg *m, const char **why);

enum judgement {
	JUDGE_NOTHING,   /* wait on; *why says what was wrong (static text) */
	JUDGE_ANSWER,    /* *out is final */
	JUDGE_DOUBT,     /* an unsigned refusal of the kinds that servers can't sign */
};

/* key NULL: whatever matches is the answer, verified false. */
enum judgement judge(struct answer *out, const struct wire_msg *m, const struct request *req,
		     const struct tsig_key *key, const struct tsig_mac *mac, int64_t now_s,
		     const char **why);

#endif
