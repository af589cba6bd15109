/* own.h - ownership in one word: AUTO frees at the end of the scope, own_take hands over. */
#ifndef BRIDGE_BASE_OWN_H
#define BRIDGE_BASE_OWN_H

#define AUTO(fn) __attribute__((cleanup(fn)))

/* The value of *pp, which becomes NULL: the caller of this line owns it no longer. */
#define own_take(pp)                                                                               \
	({                                                                                         \
		__typeof__(*(pp)) own_taken_ = *(pp);                                              \
		*(pp) = NULL;                                                                      \
		own_taken_;                                                                        \
	})

void own_freep(void *pp);  /* AUTO(own_freep) char *s: free(s) */
void own_closep(int *fd);  /* AUTO(own_closep) int fd = -1: close(fd) when >= 0 */

#endif
