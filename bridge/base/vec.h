/* vec.h - a growing array of one type.
 *
 *	VEC(struct obs) v = {0};
 *	if (vec_push(&v, o) < 0) return err_nomem(e);
 *	... v.v[i], v.n ...
 *	vec_fini(&v);
 */
#ifndef BRIDGE_BASE_VEC_H
#define BRIDGE_BASE_VEC_H

#include <stddef.h>

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n, cap;                                                                     \
	}

/* 0 or ERR_NOMEM; on failure the vector is as it was. */
#define vec_push(vec, x)                                                                           \
	(vec_room((void **)&(vec)->v, &(vec)->cap, (vec)->n, 1, sizeof(*(vec)->v)) < 0             \
	     ? -1                                                                                  \
	     : ((vec)->v[(vec)->n++] = (x), 0))
/* Room for k more; the elements are written by the caller. */
#define vec_reserve(vec, k)                                                                        \
	vec_room((void **)&(vec)->v, &(vec)->cap, (vec)->n, (k), sizeof(*(vec)->v))
#define vec_fini(vec) vec_drop((void **)&(vec)->v, &(vec)->n, &(vec)->cap)

int vec_room(void **v, size_t *cap, size_t n, size_t more, size_t size);
void vec_drop(void **v, size_t *n, size_t *cap);

#endif
