/* brake.h - no source can take a zone apart: inferred ends and changes are limited.
 *
 * Pure.  Per zone and source, in a rolling hour: more than max(min, percent of the names at the
 * window's start) inferred ends and changes are held.  Explicit ends have a wider limit of their
 * own: half of a subnet and at least 50 in 5 minutes.  Additions and TTLs do not count.
 */
#ifndef BRIDGE_CORE_BRAKE_H
#define BRIDGE_CORE_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

struct brake {
	int64_t window_s;        /* start of the window, Unix */
	uint32_t names;          /* names the source had in the zone then */
	uint32_t used;           /* inferred ends and changes let through since */
};

enum { BRAKE_WINDOW_S = 3600, BRAKE_EXPLICIT_WINDOW_S = 300, BRAKE_EXPLICIT_MIN = 50,
       BRAKE_EXPLICIT_PERCENT = 50 };

/* Starts a new window when the old one has passed.  names_now is used only then. */
void brake_roll(struct brake *b, int64_t window_len_s, uint32_t names_now, int64_t now_s);
/* May one more go?  Counts it when it may. */
bool brake_admit(struct brake *b, uint32_t min, uint32_t percent);

#endif
