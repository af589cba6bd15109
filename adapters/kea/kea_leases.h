/* kea_leases.h - source type "kea-leases": Kea's memfile lease files, followed.
 *
 * The first read gives the whole set (ADAPTER_COMPLETE), or with the cursor of an earlier one what
 * was appended since (ADAPTER_DELTA) or nothing (ADAPTER_SAME).  After such an end the next read
 * waits and answers what is appended then, across Kea's rotations: ADAPTER_DELTA within a
 * millisecond or so of the row, ADAPTER_IDLE at the deadline.  Whatever is in doubt is read whole
 * again, ADAPTER_COMPLETE; such a read, and one of rows that came just before the deadline, may
 * outlast it by up to five seconds.  A negative answer leaves the adapter as it was opened with
 * its last cursor: the next read compares everything.
 */
#ifndef ADAPTERS_KEA_KEA_LEASES_H
#define ADAPTERS_KEA_KEA_LEASES_H

#include "adapters/adapter.h"

extern const struct adapter_ops kea_leases_ops;

#endif
