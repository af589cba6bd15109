/* neighbour.h - source type "neighbour": ARP and neighbour tables, local or printed elsewhere. */
#ifndef ADAPTERS_NEIGHBOUR_NEIGHBOUR_H
#define ADAPTERS_NEIGHBOUR_NEIGHBOUR_H

#include "adapters/adapter.h"

extern const struct adapter_ops neighbour_ops;

#endif
