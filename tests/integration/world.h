/* world.h - a session, a fresh schema and a small policy for each test of the store.
 *
 * IPAMBRIDGE_TEST_DB is a libpq string of a database that may be wiped: schema "ipambridge" is
 * dropped before every test.
 */
#ifndef TESTS_INTEGRATION_WORLD_H
#define TESTS_INTEGRATION_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/base/clock.h"
#include "bridge/store/store.h"
#include "sql.h"

struct world {
	struct pg *pg;
	struct store *store;
	struct flow_store f;
	struct policy policy;
	struct policy_space spaces[2];
	struct policy_zone zones[2];
	const struct policy_zone *subnet_zones[1];
	struct policy_subnet subnets[1];
	struct policy_source sources[4];
	struct arena a;
	struct err e;
};

enum { DHCP, ARP, MANUAL, DNS_SOURCE };

#define ok(w, call)                                                                                \
	do {                                                                                       \
		int rc_ = (call);                                                                  \
		if (rc_ != 0) {                                                                    \
			print_error("%d: %s\nhint: %s\n", rc_, (w)->e.text, (w)->e.hint);          \
			assert_int_equal(rc_, 0);                                                  \
		}                                                                                  \
	} while (0)

static inline const char *conninfo(void)
{
	const char *s = getenv("IPAMBRIDGE_TEST_DB");

	if (s == NULL || *s == '\0') {
		fprintf(stderr, "IPAMBRIDGE_TEST_DB is not set: a libpq string of a "
				"database that may be wiped (contrib/local-postgres start DIR --fast)\n");
		exit(99);
	}
	return s;
}

static inline struct dname name(const char *s)
{
	struct dname n = {0};

	assert_true(dname_parse(&n, s, strlen(s)));
	return n;
}

static inline struct ipaddr addr(const char *s)
{
	struct ipaddr a = {0};

	assert_true(ipaddr_parse(&a, s, strlen(s)));
	return a;
}

static inline void fill_policy(struct world *w)
{
	static const char *const kinds[] = {"kea-leases", "neighbour", "manual", "dns"};
	static const char *const names[] = {"dhcp", "arp", SOURCE_MANUAL, SOURCE_DNS};
	static const enum obs_kind k[] = {OBS_LEASE, OBS_NEIGHBOUR, OBS_MANUAL, OBS_DNS};
	int i;

	w->zones[0] = (struct policy_zone){.text = "lab.example", .name = name("lab.example"),
					   .view = "", .ttl_s = 300};
	w->zones[1] = (struct policy_zone){.text = "2.0.192.in-addr.arpa", .is_reverse = true,
					   .name = name("2.0.192.in-addr.arpa"), .view = ""};
	w->subnet_zones[0] = &w->zones[0];
	w->subnets[0] = (struct policy_subnet){.zones = w->subnet_zones, .n_zones = 1,
					       .reverse = &w->zones[1]};
	assert_true(prefix_parse(&w->subnets[0].prefix, "192.0.2.0/24", 12));
	for (i = 0; i < 4; i++)
		w->sources[i] = (struct policy_source){.name = names[i], .type = kinds[i],
						       .kind = k[i]};
	w->spaces[0] = (struct policy_space){.name = "default", .zones = w->zones, .n_zones = 2,
		.subnets = w->subnets, .n_subnets = 1, .sources = w->sources, .n_sources = 4};
	w->policy = (struct policy){.spaces = w->spaces, .n_spaces = 1};
}

static inline int setup_empty(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	*state = w;
	ok(w, pg_open(&w->pg, conninfo(), "test", 10, &w->e));
	ok(w, pg_script(w->pg, "drop schema if exists ipambridge cascade", &w->e));
	return 0;
}

static inline int setup(void **state)
{
	struct world *w;
	unsigned n;

	setup_empty(state);
	w = *state;
	ok(w, db_init(w->pg, &n, &w->e));
	ok(w, store_open(&w->store, w->pg, &w->e));
	w->f = store_flow(w->store);
	fill_policy(w);
	ok(w, store_sync_policy(w->store, &w->policy, &w->e));
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	pg_close(w->pg);
	arena_fini(&w->a);
	free(w);
	return 0;
}

/* One value of a query, as text. */
static inline char *ask(struct world *w, const char *sql)
{
	struct pg_rows *rows;
	char *s;

	ok(w, pg_query(&rows, w->pg, sql, NULL, &w->e));
	assert_true(pg_rows_n(rows) > 0);
	s = arena_strdup(&w->a, pg_text(rows, 0, 0));
	pg_rows_free(rows);
	return s;
}

static inline int64_t count(struct world *w, const char *sql)
{
	struct pg_rows *rows;
	int64_t n;

	ok(w, pg_query(&rows, w->pg, sql, NULL, &w->e));
	assert_true(pg_rows_n(rows) > 0);
	n = pg_i64(rows, 0, 0);
	pg_rows_free(rows);
	return n;
}

static inline struct bytes bytes_of(const char *s)
{
	return (struct bytes){(const uint8_t *)s, (uint16_t)strlen(s)};
}

static inline struct obs lease(const char *ip, const char *host, int64_t until)
{
	return (struct obs){.addr = addr(ip), .kind = OBS_LEASE, .name = bytes_of(host),
		.mac = {true, {2, 0, 0, 0, 0, 1}}, .valid_until_s = until, .seen_at_s = 1000};
}

static inline int32_t src(const struct world *w, int which)
{
	return w->sources[which].id;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define E(f) cmocka_unit_test_setup_teardown(f, setup_empty, teardown)

#endif
