/* places.c - which processes a configuration asks for. */
#include <string.h>

#include "bridge/role/roles.h"

const struct role *role_find(const struct role *table, const char *name)
{
	for (; table->name != NULL; table++) {
		if (strcmp(table->name, name) == 0)
			return table;
	}
	return NULL;
}

size_t role_places(const struct role *r, const struct conf *c)
{
	switch (r->each) {
	case ROLE_PER_SOURCE:
		return c->n_sources;
	case ROLE_PER_SERVER:
		return c->n_servers;
	case ROLE_IF_HTTP:
		return c->http.address.family != 0;
	case ROLE_ONCE:
		break;
	}
	return 1;
}

static bool is_first_of(const struct policy_space *s, const char *server)
{
	for (size_t i = 0; i < s->n_zones; i++) {
		const struct policy_zone *z = &s->zones[i];

		if (z->n_servers > 0 && strcmp(z->servers[0], server) == 0)
			return true;
	}
	return false;
}

static bool has_zones(const struct conf *c, const char *server)
{
	for (size_t i = 0; i < c->policy.n_spaces; i++) {
		if (is_first_of(&c->policy.spaces[i], server))
			return true;
	}
	return false;
}

bool role_of(struct buf *of, const struct role *r, const struct conf *c, size_t i)
{
	buf_reset(of);
	switch (r->each) {
	case ROLE_PER_SOURCE:
		buf_printf(of, "%s/%s", c->sources[i].space, c->sources[i].name);
		return true;
	case ROLE_PER_SERVER:
		buf_str(of, c->servers[i].name);
		return has_zones(c, c->servers[i].name);
	case ROLE_IF_HTTP:
	case ROLE_ONCE:
		break;
	}
	return true;
}
