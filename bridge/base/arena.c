/* arena.c - a list of blocks, the newest in front, filled from the bottom.
 *
 * Blocks grow from 4 KiB to 256 KiB: a message costs one small block, a pass few large ones.
 * What is larger than 64 KiB gets one of its own, behind the front one, so that the room left
 * in front is not lost.
 */
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/arena.h"

/* Under AddressSanitizer every allocation is a block of its own, so that an overrun is seen. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_SINGLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_SINGLE 1
#endif
#endif
#ifndef ARENA_SINGLE
#define ARENA_SINGLE 0
#endif

enum {
	ALIGN = alignof(max_align_t),
	BLOCK_MIN = 4096,
	BLOCK_MAX = 256 * 1024,
};

struct arena_block {
	struct arena_block *next;
	size_t size, at; /* bytes in data, and how many are taken */
	alignas(ALIGN) unsigned char data[];
};

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b;

	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->next = NULL;
	b->size = size;
	b->at = 0;
	return b;
}

/* A block for size bytes and more, in front. */
static struct arena_block *block_front(struct arena *a, size_t size)
{
	size_t want = a->head == NULL ? BLOCK_MIN : a->head->size * 2;
	struct arena_block *b;

	if (want < BLOCK_MIN)
		want = BLOCK_MIN;
	if (want > BLOCK_MAX)
		want = BLOCK_MAX;
	want -= sizeof(*b);
	b = block_new(want < size ? size : want);
	if (b == NULL)
		return NULL;
	b->next = a->head;
	a->head = b;
	return b;
}

/* A block for exactly these bytes, behind the front one. */
static struct arena_block *block_behind(struct arena *a, size_t size)
{
	struct arena_block *b = block_new(size);

	if (b == NULL)
		return NULL;
	if (a->head == NULL) {
		a->head = b;
	} else {
		b->next = a->head->next;
		a->head->next = b;
	}
	return b;
}

/* size bytes, not zeroed; align is a power of two up to ALIGN. */
static void *take(struct arena *a, size_t size, size_t align)
{
	struct arena_block *b = a->head;
	size_t at;

	if (size == 0)
		size = 1;
	if (b != NULL && !ARENA_SINGLE) {
		at = (b->at + align - 1) & ~(align - 1);
		if (at <= b->size && size <= b->size - at) {
			b->at = at + size;
			a->used += size;
			return b->data + at;
		}
	}
	if (ARENA_SINGLE || size > BLOCK_MAX / 4)
		b = block_behind(a, size);
	else
		b = block_front(a, size);
	if (b == NULL)
		return NULL;
	b->at = size;
	a->used += size;
	return b->data;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p = take(a, size, ALIGN);

	if (p != NULL)
		memset(p, 0, size);
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		return NULL;
	return arena_alloc(a, all);
}

/* The size of a type is a multiple of its alignment, so the largest power of two that divides
 * len is enough for whatever was copied; four bytes of RDATA need not take sixteen. */
void *arena_dup(struct arena *a, const void *p, size_t len)
{
	size_t align = len == 0 ? 1 : len & -len;
	unsigned char *q;

	if (len == SIZE_MAX)
		return NULL;
	q = take(a, len + 1, align > ALIGN ? ALIGN : align);
	if (q == NULL)
		return NULL;
	if (len > 0)
		memcpy(q, p, len);
	q[len] = '\0';
	return q;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_dup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char small[256], *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	if ((size_t)n < sizeof(small))
		return arena_dup(a, small, (size_t)n);
	s = take(a, (size_t)n + 1, 1);
	if (s == NULL)
		return NULL;
	va_start(ap, fmt);
	n = vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return n < 0 ? NULL : s;
}

static void free_list(struct arena_block *b)
{
	while (b != NULL) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
}

/* A front block that one large allocation made is not worth keeping. */
void arena_reset(struct arena *a)
{
	struct arena_block *keep = a->head;

	a->used = 0;
	if (keep == NULL)
		return;
	free_list(keep->next);
	keep->next = NULL;
	keep->at = 0;
	if (ARENA_SINGLE || keep->size > BLOCK_MAX) {
		free(keep);
		a->head = NULL;
	}
}

void arena_fini(struct arena *a)
{
	free_list(a->head);
	a->head = NULL;
	a->used = 0;
}
