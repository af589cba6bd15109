/* arena.h - memory that dies together: one for a pass, a batch, a message.
 *
 * Nothing is freed singly.  Every allocation may fail and returns NULL then; nothing aborts.
 */
#ifndef BRIDGE_BASE_ARENA_H
#define BRIDGE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t used;  /* bytes handed out since init or reset */
};

#define ARENA_INIT {NULL, 0}

/* Aligned for any type; zeroed. */
void *arena_alloc(struct arena *a, size_t size);
/* n * size, checked for overflow. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy of len bytes; a NUL follows that len does not count, so text may be printed. */
void *arena_dup(struct arena *a, const void *p, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Forgets everything but keeps one block for the next round. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
