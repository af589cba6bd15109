/* storm.h - when many clients come at once, does the DHCP server go first?  Pure.
 *
 * After a power cut a DHCP server has no processor to spare, and names that come a few seconds later
 * harm nobody.  So where new leases are read faster than STORM_PER_S, reading rests for as long as
 * the server writes on like that, STORM_REST_MS at most; what was written meanwhile is then read in
 * one piece, which costs less as well.  Times are of one monotonic clock.
 */
#ifndef BRIDGE_CORE_STORM_H
#define BRIDGE_CORE_STORM_H

#include <stdbool.h>
#include <stdint.h>

enum {
	STORM_PER_S = 1000,     /* leases that are news, no renewals */
	STORM_REST_MS = 10000,  /* at most at a time */
	STORM_LOOK_MS = 100,    /* between two looks at what is being written */
};

struct storm {
	int64_t since_ms;   /* counted since */
	uint64_t news;
};

/* So much was news in what has just been read, and so many bytes have been written since; negative:
 * nobody can tell.  True: rest now. */
bool storm_rises(struct storm *s, uint64_t news, int64_t ahead, int64_t now_ms);
/* Resting, so many bytes were written in the last ms: is it a storm still? */
bool storm_goes_on(int64_t bytes, int64_t ms);

#endif
