/* kea_walk.h - all rows of the files of a lease set in their order, from the start or from where
 * an earlier walk ended.
 */
#ifndef ADAPTERS_KEA_KEA_WALK_H
#define ADAPTERS_KEA_KEA_WALK_H

#include "adapters/kea/kea_family.h"
#include "adapters/kea/kea_leases_decode.h"
#include "adapters/kea/kea_lines.h"

/* A byte behind a line in one of the files, and what counts there. */
struct kea_spot {
	int file;            /* the first of the set to be read; those before it are not */
	int64_t offset;
	uint64_t lines;      /* up to there */
	int64_t head_at;     /* where the header of what follows begins */
	struct kea_header h; /* family 0: none yet, the file is read from its beginning */
};

struct kea_walk {
	struct kea_lines lines;
	struct kea_spot spot; /* where the walk began; head_at and h: as of now */
	int file;             /* KEA_FILES: at the end */
	bool started;         /* this file's lines */
	bool headed;          /* this file's header is known */
	uint32_t row;         /* of the row given out last, from 0 */
	uint32_t n_rows;
	char where[32];       /* "in .1: ", for the reasons of refused rows */
};

/* from NULL: all of all files. */
void kea_walk_start(struct kea_walk *w, const struct kea_spot *from);
/* 1: a row, never an empty line or a header; 0: no more; negative: this is no lease file, or as
 * kea_lines_next. */
int kea_walk_next(struct kea_walk *w, const struct kea_family *k, const char **line, size_t *len,
		  struct err *e);
/* After a walk to its end: where a walk over what is appended to the last file starts. */
struct kea_spot kea_walk_end(const struct kea_walk *w);

#endif
