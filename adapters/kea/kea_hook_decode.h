/* kea_hook_decode.h - what Kea's run_script hook tells: from its environment to one record, and
 * from a record to observations.
 *
 * The record is what "ipambridge kea-hook" sends and spools and the source reads:
 *
 *	"kh1"                                      3 bytes
 *	name of the event, behind its length       1 + n
 *	then variables: name behind its length     1 + n
 *	                value behind its length    2 + n, big endian
 *
 * Only variables known by name travel, none is interpreted on the way, and a value is cut at
 * KEA_HOOK_VALUE_MAX bytes, which no sound one has.
 *
 * Kea starts a process for each event and waits for none, so records arrive in any order and
 * some twice.  An observation therefore says what the event says of its address as of the time
 * Kea last heard of the client (CLTT), never what to do after what came before.
 */
#ifndef ADAPTERS_KEA_KEA_HOOK_DECODE_H
#define ADAPTERS_KEA_KEA_HOOK_DECODE_H

#include <stdbool.h>

#include "bridge/base/buf.h"
#include "bridge/value/obs.h"

enum {
	KEA_HOOK_RECORD_MAX = 60000,
	KEA_HOOK_VALUE_MAX = 1024,
	KEA_HOOK_LEASES_MAX = 32,  /* of one list; more are refused and counted */
	KEA_HOOK_RAW_MAX = 512,
};

/* Is it one of the callouts that say something about a lease? */
bool kea_hook_known(const char *event);

/* get answers the value of a variable, NULL when there is none.  The event must be known. */
void kea_hook_encode(struct buf *out, const char *event,
		     const char *(*get)(void *ctx, const char *name), void *ctx);

/* Adds observations, counts leases that say nothing (IA_PD, offers that nobody took yet) as
 * skipped, refuses others with the reason.  record: its number, for the reasons.  0 or
 * ERR_NOMEM. */
int kea_hook_decode(struct obs_batch *into, const void *p, size_t len, uint64_t record);

#endif
