/* kea_leases.h - source type "kea-leases": Kea's memfile lease files, read whole. */
#ifndef ADAPTERS_KEA_KEA_LEASES_H
#define ADAPTERS_KEA_KEA_LEASES_H

#include "adapters/adapter.h"

extern const struct adapter_ops kea_leases_ops;

#endif
