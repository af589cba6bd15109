/* kea_hook.h - source type "kea-hook": what "ipambridge kea-hook" says for Kea's run_script hook.
 *
 * Records come as datagrams of a Unix socket and, when that is away or full, through a spool
 * file.  Anybody who may write to the two may name hosts: they belong to one user and group.
 *
 * read() takes it that what came in before is kept when it is called again.  What was given out
 * last and whatever the socket still holds goes to the spool on close(), so a restart loses
 * nothing.  What a crash took from the socket nobody knows: after open() the confirming source is
 * worth a look.
 */
#ifndef ADAPTERS_KEA_KEA_HOOK_H
#define ADAPTERS_KEA_KEA_HOOK_H

#include "adapters/adapter.h"

/* In state-dir, for both sides. */
#define KEA_HOOK_SOCKET "hook.sock"
#define KEA_HOOK_SPOOL "hook.spool"

enum { KEA_HOOK_SPOOL_MAX = 16 * 1024 * 1024 }; /* bytes: some 40,000 events */

extern const struct adapter_ops kea_hook_ops;

#endif
