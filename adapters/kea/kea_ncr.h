/* kea_ncr.h - source type "kea-ncr": takes the NameChangeRequests that a Kea DHCP server sends
 * to kea-dhcp-ddns, in its place.
 *
 * UDP: nothing is answered, nobody sends again, and whoever may send can forge.  What the kernel
 * had to drop is known (ADAPTER_LOST), what was sent while nobody listened is not: a source of
 * leases must be read after each open.
 */
#ifndef ADAPTERS_KEA_KEA_NCR_H
#define ADAPTERS_KEA_KEA_NCR_H

#include "adapters/adapter.h"

extern const struct adapter_ops kea_ncr_ops;

#endif
