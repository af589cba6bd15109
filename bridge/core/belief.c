/* belief.c - small facts about an owner row. */
#include <string.h>

#include "bridge/core/belief.h"

static const char *const names[BELIEF_STATES] = {"in-step",  "due",     "agreed", "conflict",
						 "refused", "frozen", "waits"};

const char *belief_state_name(enum belief_state s)
{
	return (unsigned)s < BELIEF_STATES ? names[s] : "unknown";
}

bool belief_state_parse(enum belief_state *out, const char *s, size_t len)
{
	int i;

	for (i = 0; i < BELIEF_STATES; i++) {
		if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0) {
			*out = (enum belief_state)i;
			return true;
		}
	}
	return false;
}

bool belief_is_empty(const struct belief *b)
{
	return b->want.n == 0 && b->published.n == 0 && b->n_offered == 0 && b->seen.n == 0;
}

bool belief_written_since(const struct belief *b, uint64_t version)
{
	return (int32_t)((uint32_t)b->version - (uint32_t)version) >= 0;
}
