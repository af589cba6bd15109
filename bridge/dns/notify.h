/* notify.h - NOTIFY (RFC 1996): what such a message says, and the answer to it.
 *
 * Pure: no socket, no clock.  Of the message the zone's name and the signature are read, nothing else:
 * the SOA it may carry is not believed and not looked at.
 */
#ifndef BRIDGE_DNS_NOTIFY_H
#define BRIDGE_DNS_NOTIFY_H

#include "bridge/base/buf.h"
#include "bridge/dns/tsig.h"

enum { NOTIFY_MAX = 4096 };  /* bytes of a message that is looked at: far more than one has */

struct notify {
	uint8_t rcode;               /* RCODE_NOERROR: well formed, and its signature holds if it has
				      * one; RCODE_FORMERR, _NOTIMP (no NOTIFY), _NOTAUTH (signature) */
	struct dname zone;           /* len 0: it names none */
	const struct tsig_key *key;  /* that signed it; NULL: unsigned, or not to be believed */
	struct tsig_mac mac;         /* of that signature */
	uint16_t id, flags;
	const char *why;             /* when rcode is no NOERROR; static text */
};

/* keys: any of these may have signed it.  False: nothing that is ever answered. */
bool notify_read(struct notify *out, const uint8_t *p, size_t len,
		 const struct tsig_key *const *keys, size_t n_keys, int64_t now_s);
/* Appends the answer: with this rcode, and signed where the message was.  0, ERR_NOMEM. */
int notify_answer(struct buf *out, const struct notify *n, uint8_t rcode, int64_t now_s,
		  struct err *e);

#endif
