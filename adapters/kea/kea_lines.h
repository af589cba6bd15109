/* kea_lines.h - the lines of an open file up to a size, by pread in large pieces.
 *
 * Never mmap: a file that somebody truncates must be an error, not a SIGBUS.
 */
#ifndef ADAPTERS_KEA_KEA_LINES_H
#define ADAPTERS_KEA_KEA_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/base/err.h"

enum { KEA_CHUNK = 256 * 1024 };

struct kea_lines {
	int fd;              /* borrowed */
	int64_t at, size;    /* next byte to read, first byte not to read */
	bool live;           /* somebody still appends: a last line without its end is not taken */
	int64_t until_ms;
	uint64_t line_no;    /* of the line given out last, from 1 */
	bool cut;            /* that line is longer than a chunk; its rest is passed over */
	int64_t done;        /* first byte behind the last line that had its end */
	uint64_t done_lines; /* lines up to there */
	char *buf;           /* KEA_CHUNK bytes */
	size_t pos, have;
};

int kea_lines_init(struct kea_lines *l, struct err *e);
void kea_lines_fini(struct kea_lines *l);
/* Starts at a byte that begins a line; so many lines are before it. */
void kea_lines_start(struct kea_lines *l, int fd, int64_t from, uint64_t lines, int64_t size,
		     bool live);
/* 1: a line, without its end, valid until the next call; 0: no more; negative: ERR_SYS, or
 * ERR_BUSY when the deadline passed or the file became shorter than size. */
int kea_lines_next(struct kea_lines *l, const char **line, size_t *len, struct err *e);

#endif
