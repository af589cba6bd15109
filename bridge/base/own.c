/* own.c - the two things that a scope gives back on its way out. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/base/own.h"

void own_freep(void *pp)
{
	void *p;

	memcpy(&p, pp, sizeof(p)); /* pp is a char **, a struct x **, ...: no type to name */
	free(p);
}

void own_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
