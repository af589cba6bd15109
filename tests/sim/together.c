/* together.c - turns, by swapping stacks (makecontext(3)). */
#include "tests/sim/together.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

/* Stacks are as large as those of threads; pages that are not touched cost nothing.  The turn does not
 * fail to come so often in a row, by chance, to one that could go on. */
enum { STACK = 8 << 20, STUCK_MAX = 64 };

struct strand {
	ucontext_t at;
	void *stack;
	size_t size;
	void *fake;      /* the sanitizer's */
	struct bridge *b;
	bool runs;
	bool waits;      /* for a lock of the other's */
};

static struct {
	struct strand v[MEMSTORE_SESSIONS];
	struct strand *now;          /* NULL: nobody, or the one that deals out the turns */
	struct strand dealer;
	void (*work)(struct bridge *b);
	unsigned stuck;              /* waits in a row without a call in between */
	uint32_t often;              /* of 1000 calls so many end a turn */
} all;

/* What the sanitizer must know of stacks. */
static void leave(struct strand *from, const struct strand *to)
{
#ifdef SANITIZED
	__sanitizer_start_switch_fiber(from->runs ? &from->fake : NULL, to->stack, to->size);
#else
	(void)from;
	(void)to;
#endif
}

static void arrive(struct strand *at, struct strand *from)
{
#ifdef SANITIZED
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(at->fake, &bottom, &size);
	from->stack = (void *)(uintptr_t)bottom;
	from->size = size;
#else
	(void)at;
	(void)from;
#endif
}

static void swap(struct strand *from, struct strand *to)
{
	leave(from, to);
	swapcontext(&from->at, &to->at);
	arrive(from, to);
}

static void begin(void)
{
	struct strand *s = all.now;

	arrive(s, &all.dealer);
	all.work(s->b);
	s->runs = false;
	all.stuck = 0;
	swap(s, &all.dealer);
}

static void make(struct strand *s, struct bridge *b)
{
	if (s->stack == NULL) {
		s->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	}
	if (s->stack == MAP_FAILED || getcontext(&s->at) < 0)
		abort();
	s->at.uc_stack.ss_sp = s->stack;
	s->at.uc_stack.ss_size = STACK;
	s->at.uc_link = NULL;
	s->size = STACK;
	s->b = b;
	s->fake = NULL;
	s->runs = true;
	s->waits = false;
	makecontext(&s->at, begin, 0);
}

static struct strand *next(struct world *w)
{
	struct strand *s = &all.v[rng_below(&w->pair, MEMSTORE_SESSIONS)];
	struct strand *other = &all.v[s == &all.v[0]];

	return s->runs && !(s->waits && other->runs) ? s : other;
}

void together_run(struct world *w, void (*work)(struct bridge *b))
{
	static const uint32_t often[] = {10, 100, 500};

	all.work = work;
	all.stuck = 0;
	all.often = often[rng_below(&w->pair, 3)];
	all.dealer.runs = true;
	for (int i = 0; i < MEMSTORE_SESSIONS; i++)
		make(&all.v[i], &w->bridge[i]);
	while (all.v[0].runs || all.v[1].runs) {
		all.now = next(w);
		w->now = all.now->b;
		swap(&all.dealer, all.now);
	}
	all.now = NULL;
	w->now = &w->bridge[0];
}

static void give_up_turn(void)
{
	swap(all.now, &all.dealer);
}

void together_pause(struct world *w)
{
	all.stuck = 0;
	if (all.now != NULL && rng_permille(&w->pair, all.often))
		give_up_turn();
}

static void pause_cb(void *arg)
{
	together_pause(arg);
}

/* Both wait, and neither has made another call since. */
static int wait_cb(void *arg, struct memstore *m, struct memstore *other)
{
	struct strand *o = all.now == &all.v[0] ? &all.v[1] : &all.v[0];

	(void)arg;
	(void)m;
	(void)other;
	if (all.now == NULL || !o->runs || ++all.stuck > STUCK_MAX)
		return -1;
	all.now->waits = true;
	give_up_turn();
	all.now->waits = false;
	return 0;
}

void together_bind(struct world *w)
{
	memstore_together(w->bridge[0].ms, pause_cb, wait_cb, w);
}
