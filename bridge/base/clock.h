/* clock.h - the two clocks, read in one place.  Pure code is handed the time instead. */
#ifndef BRIDGE_BASE_CLOCK_H
#define BRIDGE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_s(void);   /* Unix seconds, UTC */
int64_t clock_mono_ms(void);  /* monotonic milliseconds, for deadlines */
uint64_t clock_random(void);  /* from getrandom(2) */
/* Sleeps until the monotonic instant, or returns at once when it has passed. */
void clock_sleep_until_ms(int64_t at_ms);

#endif
