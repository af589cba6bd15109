/* gate.c - see gate.h. */
#include "bridge/core/gate.h"
#include "bridge/core/outcome.h"

bool gate_lets(const struct gate *g, int64_t now_s)
{
	return g->state == GATE_OPEN || now_s >= g->next_s;
}

bool gate_passed(struct gate *g)
{
	bool was_closed = g->state != GATE_OPEN;

	*g = (struct gate){.state = GATE_OPEN};
	return was_closed;
}

bool gate_failed(struct gate *g, bool dead, int64_t now_s, uint64_t random)
{
	uint8_t state = dead ? GATE_UNREACHABLE : GATE_PARKED;
	int64_t wait_s = outcome_backoff_s(g->attempts, random);
	bool news = g->state != state;

	g->state = state;
	g->attempts++;
	g->next_s = now_s + (wait_s > GATE_MAX_S ? GATE_MAX_S : wait_s);
	return news;
}
