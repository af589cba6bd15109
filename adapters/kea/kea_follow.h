/* kea_follow.h - notices what happens to a live lease file: rows appended, Kea's rotation, and
 * what is neither.
 *
 * The directory is watched by inotify; a look by stat says what is true.  So a watch that the
 * system refuses, that overflows or that sees nothing (a network file system) only costs time:
 * the look then comes every second, or every ten.
 */
#ifndef ADAPTERS_KEA_KEA_FOLLOW_H
#define ADAPTERS_KEA_KEA_FOLLOW_H

#include "adapters/kea/kea_family.h"

struct kea_follow {
	const char *path;      /* of the live file; borrowed */
	char *dir;             /* where it is */
	const char *name;      /* its last component, in path */
	int watch;             /* inotify; -1: none */
	struct kea_id watched; /* the directory that is watched */
	int64_t retry_ms;      /* monotonic: when to ask for a watch again */
	bool told;             /* people know that there is no watch */
	unsigned arrivals;     /* files that came to the name since the held one had it; large: any */
	int64_t gone_ms;       /* monotonic: since when no readable file has the name; 0: one has */
};

#define KEA_FOLLOW_INIT {.watch = -1}

/* What a look found. */
enum {
	KEA_QUIET = 1, /* the held file as it was */
	KEA_GREW,      /* it was written to, held->id says how long it is */
	KEA_ROTATED,   /* it is finished, and *next has its name and is the only one since */
	KEA_UNSURE,    /* anything else: the set must be opened again */
};

int kea_follow_init(struct kea_follow *f, const char *path, struct err *e);
void kea_follow_fini(struct kea_follow *f);
/* Compares the file that is held open with what has its name.  next: open after KEA_ROTATED
 * alone.  Negative: the new file may not be read, or the name has had none for a second; until
 * then that is KEA_QUIET, for there are no rows that could have been missed. */
int kea_follow_look(struct kea_follow *f, struct kea_file *held, struct kea_file *next,
		    struct err *e);
/* The new file has no header yet: as if it were not there. */
int kea_follow_not_ready(struct kea_follow *f, struct err *e);
/* Until the next look is due.  True: look now; false: until_ms (monotonic) passed. */
bool kea_follow_wait(struct kea_follow *f, int64_t until_ms);

#endif
