/* mark.h - has the database lost something since it was last seen?
 *
 * A file in the state directory names the database and the newest line of its journal.  A database
 * that lacks that line was restored from an older copy, and another one does not know what was
 * written: either would take records for foreign that are ours, and end names that it never heard
 * of.  So nothing is sent until a person has looked and removed the file.  Reading goes on.
 *
 * Every daemon keeps its own mark; several on one database agree, because its journal only grows.
 */
#ifndef BRIDGE_ROLE_MARK_H
#define BRIDGE_ROLE_MARK_H

#include "bridge/conf/conf.h"
#include "bridge/pg/pg.h"

enum { MARK_OTHER = 1 };

/* 0: the database is the one of the mark and has all of it, or there is no mark.  MARK_OTHER: it
 * is not, *why says so with a hint, or the mark cannot be understood. */
int mark_check(const struct conf *c, struct pg *pg, struct err *why, struct err *e);
/* Makes the mark that of the database as it is now.  Nothing is written when it is so already, or
 * where there is no state directory. */
int mark_keep(const struct conf *c, struct pg *pg, struct err *e);

#endif
