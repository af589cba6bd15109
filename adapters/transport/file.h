/* file.h - a whole file or stream into memory, with a bound and a deadline. */
#ifndef ADAPTERS_TRANSPORT_FILE_H
#define ADAPTERS_TRANSPORT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "bridge/base/buf.h"
#include "bridge/base/err.h"

enum { TRANSPORT_MAX = 64 * 1024 * 1024 };

/* path "-" is standard input.  *mtime_s (may be NULL): when the contents were written, 0 when
 * that is now or not known (streams, /proc).  ERR_BUSY past until_ms, ERR_PROTO over max. */
int file_read(struct buf *out, int64_t *mtime_s, const char *path, size_t max, int64_t until_ms,
	      struct err *e);

#endif
