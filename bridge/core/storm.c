/* storm.c - see storm.h. */
#include "bridge/core/storm.h"

enum {
	WINDOW_MS = 100,
	ROW_BYTES = 50,   /* of a lease file, short ones */
	ROWS_AHEAD = 10,  /* fewer, and a burst is over rather than a storm begun */
};

bool storm_rises(struct storm *s, uint64_t news, int64_t ahead, int64_t now_ms)
{
	int64_t ms = now_ms - s->since_ms;
	bool many;

	s->news += news;
	if (ms < WINDOW_MS)
		return false;
	many = s->news * 1000 >= (uint64_t)ms * STORM_PER_S;
	s->since_ms = now_ms;
	s->news = 0;
	return many && ahead >= ROWS_AHEAD * ROW_BYTES;
}

bool storm_goes_on(int64_t bytes, int64_t ms)
{
	return bytes * 1000 >= ms * STORM_PER_S * ROW_BYTES;
}
