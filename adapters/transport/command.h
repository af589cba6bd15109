/* command.h - the output of a program, taken whole or not at all.
 *
 * The argument vector is executed as it is; no shell is ever between.  The program runs in a
 * process group of its own that does not outlive the call, without our file descriptors and
 * without the variables libpq reads.
 */
#ifndef ADAPTERS_TRANSPORT_COMMAND_H
#define ADAPTERS_TRANSPORT_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "bridge/base/buf.h"
#include "bridge/base/err.h"

/* argv: n strings, argv[0] is looked up in PATH.  0: it ended with status 0 and all it printed
 * is in out.  ERR_SYS: it could not be started, or failed (the first line it wrote to stderr is
 * in the text).  ERR_BUSY: killed at until_ms.  ERR_PROTO: killed for printing over max bytes. */
int command_run(struct buf *out, const char *const *argv, size_t n, size_t max, int64_t until_ms,
		struct err *e);

#endif
