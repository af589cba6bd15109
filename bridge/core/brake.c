/* brake.c - counts what a source takes away, and stops it beyond a share of the whole. */
#include "bridge/core/brake.h"

bool brake_is_over(const struct brake *b, int64_t window_len_s, int64_t now_s)
{
	/* A clock that went back must not keep an old window open for ever. */
	return b->window_s == 0 || now_s < b->window_s || now_s >= b->window_s + window_len_s;
}

void brake_start(struct brake *b, uint32_t names, int64_t now_s)
{
	b->window_s = now_s;
	b->names = names;
	b->used = 0;
}

uint64_t brake_limit(uint64_t names, uint32_t min, uint32_t percent)
{
	uint64_t share = names * percent / 100;

	return share > min ? share : min;
}

bool brake_admit(struct brake *b, uint32_t min, uint32_t percent)
{
	if (b->used >= brake_limit(b->names, min, percent))
		return false;
	b->used++;
	return true;
}
