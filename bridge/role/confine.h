/* confine.h - what a role's process may not do, from the kernel's hand.
 *
 * Roles that read hostile input (ingest, http) have no use for the key files, and the kernel
 * keeps them from it with landlock(7): whatever bytes make such a process do, it and the programs
 * it runs cannot read a key.  Landlock only knows what is allowed, below a directory or for one
 * file.  So everything beside the way from "/" down to each key file is allowed as it stands
 * when the role starts: every other directory whole, and in the directories on the way
 * each other file.  Two consequences:
 *
 * - A file made later directly in a directory on the way ("/etc/resolv.conf" replaced, when keys
 *   are below /etc) is readable once the role has started again.
 * - The directories that the role works in are allowed whole: state-dir, and those of files
 *   that its source names.  A key file that lies in one can be read; that is warned about.
 *
 * Only reading is restricted.  Symbolic and hard links lead to the same refusal; files cannot be
 * moved or linked out of the denied directories.
 */
#ifndef BRIDGE_ROLE_CONFINE_H
#define BRIDGE_ROLE_CONFINE_H

#include "bridge/base/err.h"
#include "bridge/conf/conf.h"

/* LeakSanitizer looks at a process as a debugger does, and fails where none may: 1 when built
 * with it. */
#if defined(__SANITIZE_ADDRESS__)
#define CONFINE_LOOKED_AT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONFINE_LOOKED_AT 1
#endif
#endif
#ifndef CONFINE_LOOKED_AT
#define CONFINE_LOOKED_AT 0
#endif

/* For every role: neither it nor a program it runs gains rights by set-user-id files, and it
 * leaves no core file. */
int confine_rights(struct err *e);
/* For a role that holds keys: nobody but root reads its memory. */
int confine_memory(struct err *e);
/* For a role that holds none.  set: the settings of its source, NULL: it has none.  A kernel
 * without landlock is warned about and is no error.  Needs confine_rights first.  For good. */
int confine_keys(const struct conf *c, const struct settings *set, struct err *e);

#endif
