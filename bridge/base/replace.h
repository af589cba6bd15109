/* replace.h - a whole file at once: whoever reads it sees the old one or the new one.
 */
#ifndef BRIDGE_BASE_REPLACE_H
#define BRIDGE_BASE_REPLACE_H

#include "bridge/base/buf.h"
#include "bridge/base/err.h"

/* The file then holds b, everybody may read it, and it is on disk.  ERR_SYS: the old one stays. */
int file_replace(const char *path, const struct buf *b, struct err *e);

#endif
