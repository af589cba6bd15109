/* registry.c - the list of adapters.  Whoever adds a source adds a line here. */

#include <string.h>

#include "adapters/adapter.h"
#include "adapters/kea/kea_hook.h"
#include "adapters/kea/kea_leases.h"
#include "adapters/kea/kea_ncr.h"
#include "adapters/neighbour/neighbour.h"

static const struct adapter_ops *const adapters[] = {
    &kea_hook_ops,
    &kea_leases_ops,
    &kea_ncr_ops,
    &neighbour_ops,
};

enum { N_ADAPTERS = sizeof(adapters) / sizeof(adapters[0]) };

const struct adapter_ops *adapter_at(size_t i)
{
	return i < N_ADAPTERS ? adapters[i] : NULL;
}

const struct adapter_ops *adapter_find(const char *type)
{
	for (size_t i = 0; i < N_ADAPTERS; i++) {
		if (strcmp(adapters[i]->type, type) == 0)
			return adapters[i];
	}
	return NULL;
}
