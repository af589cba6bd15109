/* spool.h - records on disk that wait for their reader: one file, several writers, one reader.
 *
 * A record that was appended is on disk (fsync) before the append answers.  The file has a
 * bound; what does not fit is counted in the file itself, so that the reader, usually another
 * process, learns that something is missing.  Whoever wants all of it then looks at the origin.
 *
 * Every step takes the file's lock (flock) for its own length only.  A stopped process that
 * holds the lock delays the others by SPOOL_WAIT_MS at most: they answer ERR_BUSY.
 */
#ifndef BRIDGE_BASE_SPOOL_H
#define BRIDGE_BASE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/base/buf.h"
#include "bridge/base/err.h"

enum {
	SPOOL_FULL = 1,           /* spool_append: refused and counted */
	SPOOL_RECORD_MAX = 65536, /* bytes; a length above it is damage */
	SPOOL_WAIT_MS = 3000,     /* for the lock */
};

struct spool {
	int fd;
	char *path;            /* for messages */
	/* Of the reader. */
	int64_t at;            /* where the next record begins; 0: where the file says */
	uint64_t lost;         /* records refused for want of room since the last commit */
	uint64_t damaged;      /* times the rest of the file was skipped since the last commit */
};

#define SPOOL_INIT {.fd = -1}

/* Opens the file, or makes it readable and writable for its user and group.  Close it also
 * when this failed. */
int spool_open(struct spool *s, const char *path, struct err *e);
void spool_close(struct spool *s);
/* Its file is no longer in any directory: every step fails, only another open helps. */
bool spool_removed(const struct spool *s);

/* One record of 1 to SPOOL_RECORD_MAX bytes; the file may grow to max bytes.  0 when it is on
 * disk; SPOOL_FULL when it was refused and counted. */
int spool_append(struct spool *s, const void *p, size_t len, int64_t max, struct err *e);

/* Appends the next record that was not read yet to out.  1; 0 when there is none for now.  The
 * counters above are brought up to date. */
int spool_next(struct spool *s, struct buf *out, struct err *e);
/* All that was read so far, counters included, is done with: the place is on disk, and a file
 * without anything left to read is cut.  Without a commit the next reader gets it again. */
int spool_commit(struct spool *s, struct err *e);

#endif
