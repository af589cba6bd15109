/* backoff.h - how long to wait before the next try: 100 ms, doubling to 30 s, with jitter.
 *
 * Whatever lived for a minute begins anew: its end has another cause than the last.
 */
#ifndef BRIDGE_ROLE_BACKOFF_H
#define BRIDGE_ROLE_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 30000, BACKOFF_HEALTHY_MS = 60000 };

struct backoff {
	unsigned failures;  /* in a row; start with 0 */
};

/* Another failure, of something that had lived for lived_ms (0: never came up).  Answers the
 * wait in ms: up to a quarter less than 100 << failures, at most 30 s.  random: any number. */
int64_t backoff_next(struct backoff *b, int64_t lived_ms, uint64_t random);

#endif
