/* vec.c - growth of the typed arrays: by doubling, checked for overflow. */
#include <stdint.h>
#include <stdlib.h>

#include "bridge/base/err.h"
#include "bridge/base/vec.h"

enum { VEC_FIRST = 8 };

int vec_room(void **v, size_t *cap, size_t n, size_t more, size_t size)
{
	size_t need, bytes, want = *cap < VEC_FIRST ? VEC_FIRST : *cap;
	void *p;

	if (__builtin_add_overflow(n, more, &need))
		return ERR_NOMEM;
	if (need <= *cap)
		return 0;
	while (want < need) {
		if (want > SIZE_MAX / 2)
			return ERR_NOMEM;
		want *= 2;
	}
	if (__builtin_mul_overflow(want, size, &bytes))
		return ERR_NOMEM;
	p = realloc(*v, bytes);
	if (p == NULL)
		return ERR_NOMEM;
	*v = p;
	*cap = want;
	return 0;
}

void vec_drop(void **v, size_t *n, size_t *cap)
{
	free(*v);
	*v = NULL;
	*n = 0;
	*cap = 0;
}
