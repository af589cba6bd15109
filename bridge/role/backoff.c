/* backoff.c - doubling waits. */
#include "bridge/role/backoff.h"

int64_t backoff_next(struct backoff *b, int64_t lived_ms, uint64_t random)
{
	enum { DOUBLINGS_MAX = 9 };
	int64_t ms;

	if (lived_ms >= BACKOFF_HEALTHY_MS)
		b->failures = 0;
	ms = b->failures >= DOUBLINGS_MAX ? BACKOFF_MOST_MS : (int64_t)BACKOFF_FIRST_MS << b->failures;
	if (ms > BACKOFF_MOST_MS)
		ms = BACKOFF_MOST_MS;
	if (b->failures < DOUBLINGS_MAX)
		b->failures++;
	return ms - (int64_t)(random % (uint64_t)(ms / 4 + 1));
}
