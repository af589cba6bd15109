/* brake.h - no source can take a zone apart: ends and changes are limited.
 *
 * Pure.  Per zone and source, in a rolling hour: more than max(min, percent of the names that the
 * source had at the window's start) inferred ends and changes are held.  Likewise a person's edits
 * of PTRs, measured against all names of the reverse zone.  Explicit ends have a wider limit:
 * half of a subnet's names and at least 50 in 5 minutes.  Additions and TTLs do not count.
 */
#ifndef BRIDGE_CORE_BRAKE_H
#define BRIDGE_CORE_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

struct brake {
	int64_t window_s;        /* start of the window, Unix */
	uint32_t names;          /* what could be lost then */
	uint32_t used;           /* ends and changes let through since */
};

enum { BRAKE_WINDOW_S = 3600, BRAKE_EXPLICIT_WINDOW_S = 300, BRAKE_EXPLICIT_MIN = 50,
       BRAKE_EXPLICIT_PERCENT = 50 };

/* Has its window passed, or was there none? */
bool brake_is_over(const struct brake *b, int64_t window_len_s, int64_t now_s);
/* A new window, with so many names at its start. */
void brake_start(struct brake *b, uint32_t names, int64_t now_s);
/* How many of so many names may go. */
uint64_t brake_limit(uint64_t names, uint32_t min, uint32_t percent);
/* May one more go?  Counts it when it may. */
bool brake_admit(struct brake *b, uint32_t min, uint32_t percent);

#endif
