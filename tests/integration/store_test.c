/* store_test.c - every call of flow_store on a real PostgreSQL. */
#include "tests/integration/world.h"

/* ---- policy -------------------------------------------------------------------------------- */

static void policy_ids_stay_and_what_is_not_configured_is_marked(void **state)
{
	struct world *w = *state;
	int32_t dhcp = w->sources[DHCP].id, zone = w->zones[1].id, subnet = w->subnets[0].id;
	char *xmin;

	assert_true(dhcp > 0 && zone > 0 && subnet > 0 && w->spaces[0].id > 0);
	xmin = ask(w, "select string_agg(xmin::text, ',') from ipambridge.source");
	w->sources[DHCP].id = w->zones[1].id = 0;
	ok(w, store_sync_policy(w->store, &w->policy, &w->e));
	assert_int_equal(w->sources[DHCP].id, dhcp);
	assert_int_equal(w->zones[1].id, zone);
	assert_string_equal(ask(w, "select string_agg(xmin::text, ',') from ipambridge.source"),
			    xmin);
	w->spaces[0].n_zones = 1;
	w->subnets[0].reverse = NULL;
	w->spaces[0].n_sources = 0;
	ok(w, store_sync_policy(w->store, &w->policy, &w->e));
	assert_int_equal(count(w, "select count(*) from ipambridge.zone where gone_at is null"), 1);
	assert_int_equal(count(w, "select count(*) from ipambridge.source where gone_at is null"), 0);
	assert_int_equal(count(w, "select count(*) from ipambridge.subnet where gone_at is null "
				  "and reverse_zone_id is null"), 1);
	fill_policy(w);
	w->policy.n_spaces = 2;
	w->spaces[1] = (struct policy_space){.name = "it's \"branch\""};
	ok(w, store_sync_policy(w->store, &w->policy, &w->e));
	assert_int_equal(w->sources[DHCP].id, dhcp);
	assert_int_equal(w->zones[1].id, zone);
	assert_true(w->spaces[1].id != w->spaces[0].id);
	assert_int_equal(count(w, "select count(*) from ipambridge.source where gone_at is null"), 4);
}

/* ---- evidence ------------------------------------------------------------------------------ */

static struct evidence evidence(const struct world *w, int which, struct obs o)
{
	return (struct evidence){.obs = o, .source_id = src(w, which), .first_seen_s = 900,
				 .last_seen_s = 1000};
}

static void evidence_with_hostile_bytes_comes_back_whole(void **state)
{
	struct world *w = *state;
	uint8_t all[300];
	struct evidence ev[2], *got;
	struct ipaddr a[2] = {addr("192.0.2.1"), addr("2001:db8::1")};
	size_t n, i;

	for (i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	ev[0] = evidence(w, DHCP, lease("192.0.2.1", "x", 5000));
	ev[0].obs.name = (struct bytes){all, sizeof(all)};
	ev[0].obs.client_id = (struct bytes){all, 255};
	ev[0].obs.duid = (struct bytes){all, 130};
	ev[0].obs.dhcid = (struct bytes){all, DHCID_LEN};
	ev[0].obs.raw = bytes_of("'; drop table host; -- \\ \" $1");
	ev[0].obs.ttl_s = 60;
	ev[0].obs.ptr = true;
	ev[0].held = true;
	ev[0].absent_since_s = 4000;
	ev[1] = evidence(w, ARP, (struct obs){.addr = a[1], .kind = OBS_NEIGHBOUR,
					      .valid_until_s = OBS_FOREVER});
	ok(w, w->f.evidence_put(w->f.ctx, ev, 2, &w->e));
	ok(w, w->f.evidence_get(w->f.ctx, &got, &n, w->spaces[0].id, a, 2, &w->a, &w->e));
	assert_int_equal(n, 2);
	assert_true(bytes_equal(got[0].obs.name, ev[0].obs.name));
	assert_true(bytes_equal(got[0].obs.client_id, ev[0].obs.client_id));
	assert_true(bytes_equal(got[0].obs.duid, ev[0].obs.duid));
	assert_true(bytes_equal(got[0].obs.dhcid, ev[0].obs.dhcid));
	assert_true(bytes_equal(got[0].obs.raw, ev[0].obs.raw));
	assert_true(mac_equal(&got[0].obs.mac, &ev[0].obs.mac));
	assert_int_equal(got[0].obs.valid_until_s, 5000);
	assert_int_equal(got[0].obs.seen_at_s, 1000);
	assert_int_equal(got[0].obs.ttl_s, 60);
	assert_true(got[0].obs.ptr && got[0].held);
	assert_int_equal(got[0].absent_since_s, 4000);
	assert_int_equal(got[0].first_seen_s, 900);
	assert_int_equal(got[0].last_seen_s, 1000);
	assert_int_equal(got[0].source_id, src(w, DHCP));
	assert_int_equal(got[1].obs.addr.family, 6);
	assert_true(got[1].obs.valid_until_s == OBS_FOREVER);
	assert_int_equal(got[1].obs.name.len, 0);
	assert_false(got[1].obs.mac.known);
	ok(w, w->f.evidence_get(w->f.ctx, &got, &n, w->spaces[0].id + 1, a, 2, &w->a, &w->e));
	assert_int_equal(n, 0);
	ok(w, w->f.evidence_del(w->f.ctx, ev, 1, &w->e));
	ok(w, w->f.evidence_get(w->f.ctx, &got, &n, w->spaces[0].id, a, 2, &w->a, &w->e));
	assert_int_equal(n, 1);
}

static void evidence_is_updated_by_key_and_left_alone_when_equal(void **state)
{
	struct world *w = *state;
	struct evidence ev[3], *got;
	struct ipaddr a = addr("192.0.2.1");
	char *xmin;
	size_t n;

	ev[0] = evidence(w, MANUAL, (struct obs){.addr = a, .kind = OBS_MANUAL,
			 .name = bytes_of("one"), .valid_until_s = OBS_FOREVER});
	ev[1] = ev[0];
	ev[1].obs.name = bytes_of("two");
	ev[2] = evidence(w, DHCP, lease("192.0.2.1", "three", 100));
	ok(w, w->f.evidence_put(w->f.ctx, ev, 3, &w->e));
	ok(w, w->f.evidence_get(w->f.ctx, &got, &n, w->spaces[0].id, &a, 1, &w->a, &w->e));
	assert_int_equal(n, 3);
	assert_memory_equal(got[0].obs.name.p, "three", 5);
	assert_memory_equal(got[1].obs.name.p, "one", 3);
	assert_memory_equal(got[2].obs.name.p, "two", 3);
	xmin = ask(w, "select string_agg(xmin::text, ',' order by address, name) "
		      "from ipambridge.observation");
	ok(w, w->f.evidence_put(w->f.ctx, ev, 3, &w->e));
	assert_string_equal(ask(w, "select string_agg(xmin::text, ',' order by address, name) "
				   "from ipambridge.observation"), xmin);
	ev[2].obs.name = bytes_of("four");
	ok(w, w->f.evidence_put(w->f.ctx, ev + 2, 1, &w->e));
	ok(w, w->f.evidence_get(w->f.ctx, &got, &n, w->spaces[0].id, &a, 1, &w->a, &w->e));
	assert_int_equal(n, 3);
	assert_memory_equal(got[0].obs.name.p, "four", 4);
}

static void evidence_due_is_what_has_run_out(void **state)
{
	struct world *w = *state;
	struct evidence ev[5], *got;
	struct ipaddr a;
	size_t n;

	ev[0] = evidence(w, DHCP, lease("192.0.2.5", "ended", 5000));
	ev[1] = evidence(w, DHCP, lease("192.0.2.4", "later", 5001));
	ev[2] = evidence(w, DHCP, lease("192.0.2.3", "held", 10));
	ev[2].held = true;
	ev[3] = evidence(w, DHCP, lease("192.0.2.2", "absent", OBS_FOREVER));
	ev[3].absent_since_s = 4000;
	ev[4] = evidence(w, DHCP, lease("192.0.2.1", "at 0", 0));
	ok(w, w->f.evidence_put(w->f.ctx, ev, 5, &w->e));
	ok(w, w->f.evidence_due(w->f.ctx, &got, &n, src(w, DHCP), 5000, 0, false, NULL, 10, &w->a,
				&w->e));
	assert_int_equal(n, 2);
	assert_memory_equal(got[0].obs.name.p, "at 0", 4);
	assert_int_equal(got[0].obs.valid_until_s, 0);
	assert_memory_equal(got[1].obs.name.p, "ended", 5);
	ok(w, w->f.evidence_due(w->f.ctx, &got, &n, src(w, DHCP), 5000, 1000, true, NULL, 10,
				&w->a, &w->e));
	assert_int_equal(n, 4);
	ok(w, w->f.evidence_due(w->f.ctx, &got, &n, src(w, DHCP), 5000, 1001, false, NULL, 10,
				&w->a, &w->e));
	assert_int_equal(n, 2);
	a = addr("192.0.2.2");
	ok(w, w->f.evidence_due(w->f.ctx, &got, &n, src(w, DHCP), 5000, 1000, true, &a, 1, &w->a,
				&w->e));
	assert_int_equal(n, 1);
	assert_memory_equal(got[0].obs.name.p, "held", 4);
	ok(w, w->f.evidence_due(w->f.ctx, &got, &n, src(w, ARP), 5000, 1000, true, NULL, 10, &w->a,
				&w->e));
	assert_int_equal(n, 0);
}

static void read_at(struct world *w, int source, int64_t at_s)
{
	struct source_row s;

	ok(w, w->f.source_get(w->f.ctx, &s, &w->a, src(w, source), &w->e));
	s.last_ok_s = at_s;
	ok(w, w->f.source_put(w->f.ctx, &s, &w->e));
}

static bool is_due(struct world *w, int source, int64_t stale_s, int64_t now_s, bool held)
{
	struct source_clock v[2] = {{.id = src(w, MANUAL)},
				    {.id = src(w, source), .stale_after_s = stale_s}};
	bool gone = true;

	ok(w, w->f.sources_due(w->f.ctx, v, 2, now_s, held, &gone, &w->e));
	assert_false(v[0].due);
	assert_false(gone);
	return v[1].due;
}

static void sources_are_due_for_what_was_over_when_they_were_read(void **state)
{
	struct world *w = *state;
	struct evidence ev = evidence(w, DHCP, lease("192.0.2.5", "ended", 5000));
	bool gone;

	ok(w, w->f.evidence_put(w->f.ctx, &ev, 1, &w->e));
	assert_false(is_due(w, DHCP, 0, 9000, false));
	read_at(w, DHCP, 4999);
	assert_false(is_due(w, DHCP, 0, 9000, false));
	read_at(w, DHCP, 5000);
	assert_true(is_due(w, DHCP, 0, 9000, false));
	assert_false(is_due(w, DHCP, 0, 4999, false));
	ev.held = true;
	ok(w, w->f.evidence_put(w->f.ctx, &ev, 1, &w->e));
	assert_false(is_due(w, DHCP, 0, 9000, false));
	assert_true(is_due(w, DHCP, 0, 9000, true));
	ev = evidence(w, ARP, lease("192.0.2.6", "absent", OBS_FOREVER));
	ev.absent_since_s = 4000;
	ok(w, w->f.evidence_put(w->f.ctx, &ev, 1, &w->e));
	read_at(w, ARP, 5000);
	assert_false(is_due(w, ARP, 0, 9000, false));
	assert_false(is_due(w, ARP, 1001, 9000, false));
	assert_true(is_due(w, ARP, 1000, 9000, false));
	ok(w, pg_script(w->pg, "update ipambridge.source set gone_at = now() where name = 'arp'",
			&w->e));
	ok(w, w->f.sources_due(w->f.ctx, NULL, 0, 9000, false, &gone, &w->e));
	assert_true(gone);
}

/* ---- the stage ----------------------------------------------------------------------------- */

static struct obs_change *stage(struct world *w, const struct obs *v, size_t n, bool complete,
				uint64_t expected)
{
	struct obs_change *c;
	uint64_t found;
	size_t k;

	ok(w, w->f.stage_begin(w->f.ctx, src(w, DHCP), &w->e));
	ok(w, w->f.stage_add(w->f.ctx, v, n, &w->e));
	ok(w, w->f.stage_diff(w->f.ctx, complete, 6000, &found, &w->e));
	assert_int_equal(found, expected);
	ok(w, w->f.stage_next(w->f.ctx, &c, &k, 100, &w->a, &w->e));
	assert_int_equal(k, expected);
	return c;
}

static void keep(struct world *w, const struct obs *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct evidence ev = evidence(w, DHCP, v[i]);

		ok(w, w->f.evidence_put(w->f.ctx, &ev, 1, &w->e));
	}
}

static void staged_differences_are_new_changed_ended_absent_and_back(void **state)
{
	struct world *w = *state;
	struct obs kept[6] = {lease("192.0.2.1", "same", 5), lease("192.0.2.2", "old", 5),
			      lease("192.0.2.3", "ends", 5), lease("192.0.2.4", "away", 5),
			      lease("192.0.2.5", "back", 5), lease("192.0.2.6", "held", 5)};
	struct obs got[7] = {lease("192.0.2.6", "held", 5), lease("192.0.2.9", "nothing", 5),
			     lease("192.0.2.5", "back", 5), lease("192.0.2.3", "ends", 5),
			     lease("192.0.2.2", "new", 5), lease("192.0.2.1", "same", 5),
			     lease("2001:db8::1", "added", 5)};
	static const enum obs_change_kind complete[] = {OBS_CHANGED, OBS_ENDED, OBS_ABSENT,
							OBS_BACK, OBS_BACK, OBS_NEW};
	static const enum obs_change_kind delta[] = {OBS_CHANGED, OBS_ENDED, OBS_BACK, OBS_BACK,
						     OBS_NEW};
	struct evidence ev;
	struct obs_change *c;
	size_t i;

	keep(w, kept, 6);
	ev = evidence(w, DHCP, kept[4]);
	ev.absent_since_s = 100;
	ok(w, w->f.evidence_put(w->f.ctx, &ev, 1, &w->e));
	ev = evidence(w, DHCP, kept[5]);
	ev.held = true;
	ok(w, w->f.evidence_put(w->f.ctx, &ev, 1, &w->e));
	got[1].end = got[3].end = true;
	got[3].end_why = "released";
	got[4].raw = bytes_of("a,b");

	c = stage(w, got, 7, false, 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(c[i].change, delta[i]);
	c = stage(w, got, 7, true, 6);
	for (i = 0; i < 6; i++)
		assert_int_equal(c[i].change, complete[i]);
	assert_memory_equal(c[0].had.obs.name.p, "old", 3);
	assert_memory_equal(c[0].got.name.p, "new", 3);
	assert_memory_equal(c[0].got.raw.p, "a,b", 3);
	assert_true(c[1].got.end);
	assert_string_equal(c[1].got.end_why, "released");
	assert_memory_equal(c[2].had.obs.name.p, "away", 4);
	assert_int_equal(c[2].got.addr.family, 0);
	assert_int_equal(c[2].had.last_seen_s, 1000);
	assert_int_equal(c[5].had.obs.addr.family, 0);
	assert_int_equal(c[5].got.addr.family, 6);
	assert_int_equal(count(w, "select count(*) from ipambridge.observation"), 6);
}

static void another_dhcid_is_a_change(void **state)
{
	struct world *w = *state;
	struct obs v = lease("192.0.2.1", "same", 5);
	struct obs_change *c;
	int complete;

	v.dhcid = bytes_of("one");
	keep(w, &v, 1);
	for (complete = 0; complete < 2; complete++) {
		v.dhcid = bytes_of("one");
		stage(w, &v, 1, complete, 0);
		v.dhcid = bytes_of("other");
		c = stage(w, &v, 1, complete, 1);
		assert_int_equal(c[0].change, OBS_CHANGED);
		assert_true(bytes_equal(c[0].had.obs.dhcid, bytes_of("one")));
		assert_true(bytes_equal(c[0].got.dhcid, v.dhcid));
		v.dhcid = (struct bytes){NULL, 0};
		stage(w, &v, 1, complete, 1);
	}
}

static void the_later_of_two_staged_rows_with_one_key_wins(void **state)
{
	struct world *w = *state;
	struct obs kept = lease("192.0.2.1", "kept", 5);
	struct obs v[6] = {lease("192.0.2.1", "other", 5), lease("192.0.2.2", "first", 5),
			   lease("192.0.2.3", "gone", 5), lease("192.0.2.2", "second", 5),
			   lease("192.0.2.1", "kept", 5), lease("192.0.2.3", "gone", 5)};
	struct obs_change *c;
	int complete;

	v[5].end = true;
	keep(w, &kept, 1);
	for (complete = 0; complete < 2; complete++) {
		c = stage(w, v, 6, complete, 1);
		assert_int_equal(c[0].change, OBS_NEW);
		assert_memory_equal(c[0].got.name.p, "second", 6);
	}
}

static void manual_names_of_one_address_are_staged_apart(void **state)
{
	struct world *w = *state;
	struct obs v[2] = {lease("192.0.2.1", "one", OBS_FOREVER),
			   lease("192.0.2.1", "two", OBS_FOREVER)};
	struct obs_change *c;

	v[0].kind = v[1].kind = OBS_MANUAL;
	c = stage(w, v, 2, false, 2);
	assert_memory_equal(c[0].got.name.p, "one", 3);
	assert_memory_equal(c[1].got.name.p, "two", 3);
	keep(w, v, 2);
	stage(w, v, 2, true, 0);
	c = stage(w, v + 1, 1, true, 1);
	assert_int_equal(c[0].change, OBS_ABSENT);
	assert_memory_equal(c[0].had.obs.name.p, "one", 3);
}

static void differences_are_handed_out_once_and_in_order(void **state)
{
	struct world *w = *state;
	struct obs v[50];
	struct obs_change *c;
	uint64_t found;
	size_t k, i, seen = 0;
	char text[32], ip[IPADDR_TEXT];

	for (i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "192.0.2.%zu", 100 - i);
		v[i] = lease(text, "x", 5);
	}
	ok(w, w->f.stage_begin(w->f.ctx, src(w, DHCP), &w->e));
	ok(w, w->f.stage_add(w->f.ctx, v, 20, &w->e));
	ok(w, w->f.stage_add(w->f.ctx, v + 20, 30, &w->e));
	ok(w, w->f.stage_diff(w->f.ctx, true, 6000, &found, &w->e));
	assert_int_equal(found, 50);
	for (;;) {
		ok(w, w->f.begin(w->f.ctx, &w->e));
		ok(w, w->f.stage_next(w->f.ctx, &c, &k, 7, &w->a, &w->e));
		for (i = 0; i < k; i++) {
			snprintf(text, sizeof(text), "192.0.2.%zu", 51 + seen++);
			assert_string_equal(ipaddr_print(ip, &c[i].got.addr), text);
		}
		/* Also across a transaction that did not come to its end. */
		w->f.rollback(w->f.ctx);
		if (k == 0)
			break;
	}
	assert_int_equal(seen, 50);
	/* The next pass starts empty, and again after a big one. */
	ok(w, w->f.stage_begin(w->f.ctx, src(w, DHCP), &w->e));
	ok(w, w->f.stage_diff(w->f.ctx, true, 6000, &found, &w->e));
	assert_int_equal(found, 0);
}

static void differences_found_in_vain_are_found_again(void **state)
{
	struct world *w = *state;
	struct obs v[1] = {lease("192.0.2.1", "a", 5)};
	struct obs_change *c;
	uint64_t found;
	size_t k;
	int round;

	for (round = 0; round < 2; round++) {
		ok(w, w->f.begin(w->f.ctx, &w->e));
		ok(w, w->f.stage_begin(w->f.ctx, src(w, DHCP), &w->e));
		ok(w, w->f.stage_add(w->f.ctx, v, 1, &w->e));
		ok(w, w->f.stage_diff(w->f.ctx, round == 0, 6000, &found, &w->e));
		assert_int_equal(found, 1);
		w->f.rollback(w->f.ctx);
	}
	stage(w, v, 1, true, 1);
	ok(w, w->f.stage_next(w->f.ctx, &c, &k, 1, &w->a, &w->e));
	assert_int_equal(k, 0);
}

static void an_end_of_something_gone_meanwhile_is_no_difference(void **state)
{
	struct world *w = *state;
	struct obs v[3] = {lease("192.0.2.1", "a", 5), lease("192.0.2.2", "b", 5),
			   lease("192.0.2.3", "d", 5)};
	struct evidence ev;
	struct obs_change *c;
	uint64_t found;
	size_t k;

	keep(w, v, 2);
	v[0].end = true;
	v[1].name = bytes_of("c");
	ok(w, w->f.stage_begin(w->f.ctx, src(w, DHCP), &w->e));
	ok(w, w->f.stage_add(w->f.ctx, v, 3, &w->e));
	ok(w, w->f.stage_diff(w->f.ctx, false, 6000, &found, &w->e));
	assert_int_equal(found, 3);
	ev = evidence(w, DHCP, v[0]);
	ok(w, w->f.evidence_del(w->f.ctx, &ev, 1, &w->e));
	ev = evidence(w, DHCP, v[1]);
	ok(w, w->f.evidence_del(w->f.ctx, &ev, 1, &w->e));
	/* As many as are asked for: less would say that these were all. */
	ok(w, w->f.stage_next(w->f.ctx, &c, &k, 2, &w->a, &w->e));
	assert_int_equal(k, 2);
	assert_int_equal(c[0].change, OBS_NEW);
	assert_memory_equal(c[0].got.name.p, "c", 1);
	assert_memory_equal(c[1].got.name.p, "d", 1);
}

static void a_complete_read_is_the_last_sighting_of_all_it_shows(void **state)
{
	struct world *w = *state;
	struct obs v[2] = {lease("192.0.2.1", "a", 5), lease("192.0.2.2", "b", 5)};
	struct evidence *got;
	struct ipaddr a[2] = {v[0].addr, v[1].addr};
	char *xmin;
	size_t n;

	keep(w, v, 2);
	xmin = ask(w, "select string_agg(xmin::text, ',') from ipambridge.observation");
	stage(w, v, 2, true, 0);
	ok(w, w->f.evidence_get(w->f.ctx, &got, &n, w->spaces[0].id, a, 2, &w->a, &w->e));
	assert_int_equal(got[0].last_seen_s, 6000);
	assert_string_equal(ask(w, "select string_agg(xmin::text, ',') "
				   "from ipambridge.observation"), xmin);
	got[0].absent_since_s = 6500;
	got[0].last_seen_s = 6000;
	ok(w, w->f.evidence_put(w->f.ctx, got, 1, &w->e));
	ok(w, w->f.evidence_get(w->f.ctx, &got, &n, w->spaces[0].id, a, 1, &w->a, &w->e));
	assert_int_equal(got[0].last_seen_s, 6000);
}

/* ---- hosts --------------------------------------------------------------------------------- */

static struct host host(const struct world *w, const char *ip, const char *n)
{
	struct host h = {.addr = addr(ip), .kind = OBS_LEASE, .source_id = src(w, DHCP),
			 .since_s = 50, .expires_at_s = OBS_FOREVER, .ptr = true, .why = "why's",
			 .id = {.mac = {true, {1, 2, 3, 4, 5, 6}}}};

	if (*n != '\0')
		h.name = h.asked = name(n);
	return h;
}

static void hosts_of_addresses_are_replaced(void **state)
{
	struct prefix p;
	struct world *w = *state;
	int32_t sp = w->spaces[0].id;
	struct host h[4] = {host(w, "192.0.2.1", "a.lab.example"), host(w, "192.0.2.1", "b.lab.example"),
			    host(w, "192.0.2.2", "a.lab.example"), host(w, "2001:db8::1", "")};
	struct ipaddr a[3] = {h[0].addr, h[2].addr, h[3].addr};
	struct dname names[2] = {name("a.lab.example"), name("x\\.y.lab.example")};
	struct host *got;
	uint32_t k;
	size_t n;

	h[2].since_s = 40;
	h[2].asked = name("wanted.lab.example");
	h[2].id.client_id = bytes_of("id");
	h[2].id.dhcid = bytes_of("digest");
	h[2].ttl_s = 77;
	ok(w, w->f.hosts_put(w->f.ctx, sp, a, 3, h, 4, &w->e));
	ok(w, w->f.hosts_of_addrs(w->f.ctx, &got, &n, sp, a, 3, &w->a, &w->e));
	assert_int_equal(n, 4);
	assert_true(dname_equal(&got[0].name, &h[0].name));
	assert_int_equal(got[3].name.len, 0);
	ok(w, w->f.hosts_of_names(w->f.ctx, &got, &n, sp, names, 1, &w->a, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(got[0].since_s, 40);
	assert_true(dname_equal(&got[0].asked, &h[2].asked));
	assert_true(bytes_equal(got[0].id.client_id, h[2].id.client_id));
	assert_true(bytes_equal(got[0].id.dhcid, h[2].id.dhcid));
	assert_true(bytes_equal(got[0].id.dhcid_name, bytes_of("wanted.lab.example")));
	assert_true(mac_equal(&got[0].id.mac, &h[2].id.mac));
	assert_int_equal(got[0].ttl_s, 77);
	assert_true(got[0].ptr);
	assert_true(got[0].expires_at_s == OBS_FOREVER);
	assert_string_equal(got[0].why, "why's");
	ok(w, w->f.names_of_source(w->f.ctx, &k, src(w, DHCP), &w->zones[0].name, &w->e));
	assert_int_equal(k, 3);
	assert_true(prefix_parse(&p, "192.0.2.0/31", 12));
	ok(w, w->f.names_within(w->f.ctx, &k, sp, &p, &w->e));
	assert_int_equal(k, 2);
	assert_true(prefix_parse(&p, "192.0.2.0/24", 12));
	ok(w, w->f.names_within(w->f.ctx, &k, sp, &p, &w->e));
	assert_int_equal(k, 3);
	ok(w, w->f.names_of_source(w->f.ctx, &k, src(w, ARP), &w->zones[0].name, &w->e));
	assert_int_equal(k, 0);
	h[0] = host(w, "192.0.2.1", "x\\.y.lab.example");
	ok(w, w->f.hosts_put(w->f.ctx, sp, a, 1, h, 1, &w->e));
	ok(w, w->f.hosts_put(w->f.ctx, sp, a + 2, 1, NULL, 0, &w->e));
	ok(w, w->f.hosts_of_addrs(w->f.ctx, &got, &n, sp, a, 3, &w->a, &w->e));
	assert_int_equal(n, 2);
	ok(w, w->f.hosts_of_names(w->f.ctx, &got, &n, sp, names + 1, 1, &w->a, &w->e));
	assert_int_equal(n, 1);
	assert_true(dname_equal(&got[0].name, &names[1]));
}

/* ---- beliefs ------------------------------------------------------------------------------- */

static void set(struct world *w, struct rrs *out, const char *text)
{
	ok(w, rrs_parse(out, &w->a, text, strlen(text), &w->e));
}

static struct belief belief(struct world *w, const char *owner)
{
	struct belief b = {.zone_id = w->zones[0].id, .owner = name(owner), .state = BELIEF_DUE,
			   .want_kind = OBS_LEASE, .want_ttl_s = 300, .why = "lease"};

	set(w, &b.want, "A 192.0.2.1");
	return b;
}

static struct belief get1(struct world *w, const char *owner)
{
	struct zone_key k = {w->zones[0].id, name(owner)};
	struct belief *b;
	size_t n;

	ok(w, w->f.beliefs_get(w->f.ctx, &b, &n, &k, 1, &w->a, &w->e));
	assert_int_equal(n, 1);
	return b[0];
}

static void beliefs_come_back_whole(void **state)
{
	struct world *w = *state;
	struct belief b = belief(w, "a\\'b\\\\c.lab.example"), got;
	struct zone_key k[3] = {{b.zone_id, b.owner}, {b.zone_id, b.owner},
				{b.zone_id, name("none.lab.example")}};
	struct belief *v;
	size_t n;

	set(w, &b.published, "A 192.0.2.2\nA 192.0.2.3");
	set(w, &b.offered[1], "AAAA 2001:db8::1");
	b.n_offered = 2;  /* the first is a removal */
	b.seen_known = true;
	set(w, &b.seen, "NS ns.lab.example.\nTXT *");
	b.sent_ttl_s = 60;
	b.offered_at_s[0] = 70;
	b.offered_at_s[1] = 71;
	b.removed_at_s = 80;
	b.reverts = 2;
	b.due_at_s = 90;
	b.attempts = 4000000000U;
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	ok(w, w->f.beliefs_get(w->f.ctx, &v, &n, k, 3, &w->a, &w->e));
	assert_int_equal(n, 1);
	got = v[0];
	assert_true(dname_equal(&got.owner, &b.owner));
	assert_true(rrs_equal(&got.want, &b.want));
	assert_true(rrs_equal(&got.published, &b.published));
	assert_int_equal(got.n_offered, 2);
	assert_int_equal(got.offered[0].n, 0);
	assert_true(rrs_equal(&got.offered[1], &b.offered[1]));
	assert_true(got.seen_known);
	assert_true(rrs_equal(&got.seen, &b.seen));
	assert_int_equal(got.want_kind, OBS_LEASE);
	assert_int_equal(got.want_ttl_s, 300);
	assert_int_equal(got.sent_ttl_s, 60);
	assert_int_equal(got.offered_at_s[0], 70);
	assert_int_equal(got.offered_at_s[1], 71);
	assert_int_equal(got.removed_at_s, 80);
	assert_int_equal(got.reverts, 2);
	assert_int_equal(got.due_at_s, 90);
	assert_true(got.attempts == 4000000000U);
	assert_int_equal(got.state, BELIEF_DUE);
	assert_string_equal(got.why, "lease");
	ok(w, w->f.beliefs_guarding(w->f.ctx, &v, &n, b.zone_id, &w->a, &w->e));
	assert_int_equal(n, 1);
	b = (struct belief){.zone_id = b.zone_id, .owner = b.owner};
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	ok(w, w->f.beliefs_get(w->f.ctx, &v, &n, k, 1, &w->a, &w->e));
	assert_int_equal(n, 0);
}

static void seen_is_known_by_transfer_or_by_query(void **state)
{
	struct world *w = *state;
	struct belief b = belief(w, "a.lab.example");
	struct zone_row z;

	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	assert_false(get1(w, "a.lab.example").seen_known);
	b.version = get1(w, "a.lab.example").version;
	b.seen_known = true;
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	assert_true(get1(w, "a.lab.example").seen_known);
	assert_int_equal(get1(w, "a.lab.example").seen.n, 0);
	b.seen_known = false;
	b.published = b.want;
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	ok(w, w->f.zone_get(w->f.ctx, &z, &w->a, b.zone_id, &w->e));
	assert_false(z.known);
	z = (struct zone_row){.id = b.zone_id, .known = true, .serial = 4294967295U,
			      .pulled_at_s = 5, .full_at_s = 6,
			      .last_error = "it's"};
	ok(w, w->f.zone_put(w->f.ctx, &z, &w->e));
	memset(&z, 0, sizeof(z));
	ok(w, w->f.zone_get(w->f.ctx, &z, &w->a, b.zone_id, &w->e));
	assert_true(z.known && z.serial == 4294967295U);
	assert_int_equal(z.pulled_at_s + z.full_at_s, 11);
	assert_string_equal(z.last_error, "it's");
	b = get1(w, "a.lab.example");
	assert_true(b.seen_known);
	assert_true(rrs_equal(&b.seen, &b.published));
	b.seen = (struct rrs){NULL, 0};
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	b = get1(w, "a.lab.example");
	assert_true(b.seen_known);
	assert_int_equal(b.seen.n, 0);
	assert_int_equal(b.published.n, 1);
}

/* The hosts of a few addresses and of foreseen names come with their evidence; what is written since
 * is seen. */
static void hosts_read_ahead_are_never_old(void **state)
{
	struct world *w = *state;
	struct ipaddr a[] = {addr("192.0.2.1"), addr("192.0.2.2")};
	struct host h = host(w, "192.0.2.1", "x.lab.example"), *got;
	struct dname names[] = {h.name, name("y.lab.example")};
	struct evidence *ev;
	int32_t sp = w->spaces[0].id;
	size_t n, i;

	for (i = 0; i < 3; i++) {
		ok(w, w->f.begin(w->f.ctx, &w->e));
		ok(w, w->f.hosts_of_names_soon(w->f.ctx, sp, names, 1, &w->e));
		ok(w, w->f.evidence_get(w->f.ctx, &ev, &n, sp, a, 1, &w->a, &w->e));
		if (i == 1)
			ok(w, w->f.hosts_put(w->f.ctx, sp, a, 1, &h, 1, &w->e));
		ok(w, w->f.hosts_of_names(w->f.ctx, &got, &n, sp, names, 1, &w->a, &w->e));
		assert_int_equal(n, i > 0);
		ok(w, w->f.hosts_of_names(w->f.ctx, &got, &n, sp, names + 1, 1, &w->a, &w->e));
		assert_int_equal(n, 0);
		ok(w, w->f.hosts_of_addrs(w->f.ctx, &got, &n, sp, a, 1, &w->a, &w->e));
		assert_int_equal(n, i > 0);
		ok(w, w->f.hosts_of_addrs(w->f.ctx, &got, &n, sp, a + 1, 1, &w->a, &w->e));
		assert_int_equal(n, 0);
		ok(w, w->f.commit(w->f.ctx, &w->e));
	}
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.evidence_get(w->f.ctx, &ev, &n, sp, a, 1, &w->a, &w->e));
	w->f.rollback(w->f.ctx);
	ok(w, w->f.hosts_put(w->f.ctx, sp, a, 1, NULL, 0, &w->e));
	ok(w, w->f.hosts_of_addrs(w->f.ctx, &got, &n, sp, a, 1, &w->a, &w->e));
	assert_int_equal(n, 0);
}

/* Owners that are foreseen to be new are looked for once; what was made since is seen. */
static void owners_read_ahead_are_never_old(void **state)
{
	struct world *w = *state;
	struct belief b = belief(w, "a.lab.example"), other = belief(w, "b.lab.example"), *got;
	struct zone_key k = {b.zone_id, b.owner};
	struct ipaddr a = addr("192.0.2.1");
	struct evidence *ev;
	size_t n, i;

	for (i = 0; i < 4; i++) {
		ok(w, w->f.begin(w->f.ctx, &w->e));
		ok(w, w->f.beliefs_soon(w->f.ctx, &k, 1, &w->e));
		ok(w, w->f.evidence_get(w->f.ctx, &ev, &n, w->spaces[0].id, &a, 1, &w->a, &w->e));
		if (i == 1)
			ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
		ok(w, w->f.beliefs_get(w->f.ctx, &got, &n, &k, 1, &w->a, &w->e));
		assert_int_equal(n, i == 1 || i == 2);
		if (i == 2) {
			got->want.n = 0;
			ok(w, w->f.beliefs_put(w->f.ctx, got, 1, &w->e));
		}
		ok(w, w->f.commit(w->f.ctx, &w->e));
	}
	/* Not of the transaction before. */
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.beliefs_soon(w->f.ctx, &k, 1, &w->e));
	ok(w, w->f.evidence_get(w->f.ctx, &ev, &n, w->spaces[0].id, &a, 1, &w->a, &w->e));
	w->f.rollback(w->f.ctx);
	ok(w, w->f.beliefs_put(w->f.ctx, &other, 1, &w->e));
	k.owner = other.owner;
	ok(w, w->f.beliefs_get(w->f.ctx, &got, &n, &k, 1, &w->a, &w->e));
	assert_int_equal(n, 1);
}

static struct due_page due_page(struct world *w, int32_t zone_id, const struct belief *after,
				size_t limit)
{
	struct due_page page = {.zone_id = zone_id, .after = after};

	ok(w, w->f.beliefs_due(w->f.ctx, &page, 1, 20, limit, &w->a, &w->e));
	return page;
}

static void due_owners_of_zones_come_together(void **state)
{
	struct world *w = *state;
	struct belief b[3] = {belief(w, "b.lab.example"), belief(w, "a.lab.example"),
			      belief(w, "c.lab.example")};
	struct due_page pages[3] = {{.zone_id = b[0].zone_id, .after = &b[1]},
				    {.zone_id = w->zones[1].id}, {.zone_id = 0}};

	b[2].zone_id = w->zones[1].id;
	ok(w, w->f.beliefs_put(w->f.ctx, b, 3, &w->e));
	ok(w, w->f.beliefs_due(w->f.ctx, pages, 3, 20, 10, &w->a, &w->e));
	assert_int_equal(pages[0].n, 1);
	assert_true(dname_equal(&pages[0].v[0].owner, &b[0].owner));
	assert_int_equal(pages[1].n, 1);
	assert_true(dname_equal(&pages[1].v[0].owner, &b[2].owner));
	assert_int_equal(pages[2].n, 0);
}

static bool is_current(struct world *w, uint32_t serial, int64_t at_s, int64_t full_s)
{
	struct zone_look v[2] = {{.id = w->zones[1].id, .serial = serial},
				 {.id = w->zones[0].id, .serial = serial}};

	ok(w, w->f.zones_looked(w->f.ctx, v, 2, at_s, full_s, &w->e));
	assert_false(v[0].current);
	return v[1].current;
}

static void a_zone_is_current_when_its_serial_is_the_one_that_is_kept(void **state)
{
	struct world *w = *state;
	struct zone_row z = {.id = w->zones[0].id, .serial = 4294967295U, .pulled_at_s = 5,
			     .full_at_s = 1000, .last_error = "it was away"};

	ok(w, w->f.zone_put(w->f.ctx, &z, &w->e));
	assert_false(is_current(w, 4294967295U, 1500, 900));
	z.known = true;
	ok(w, w->f.zone_put(w->f.ctx, &z, &w->e));
	assert_false(is_current(w, 4294967294U, 1500, 900));
	assert_false(is_current(w, 4294967295U, 1500, 1000));
	ok(w, w->f.zone_get(w->f.ctx, &z, &w->a, z.id, &w->e));
	assert_int_equal(z.pulled_at_s, 5);
	assert_string_equal(z.last_error, "it was away");
	assert_true(is_current(w, 4294967295U, 1500, 999));
	ok(w, w->f.zone_get(w->f.ctx, &z, &w->a, z.id, &w->e));
	assert_int_equal(z.pulled_at_s, 1500);
	assert_null(z.last_error);
	/* It showed a later one once. */
	ok(w, w->f.zone_sent(w->f.ctx, z.id, 1, false, &w->e));
	assert_false(is_current(w, 4294967295U, 1500, 900));
	ok(w, w->f.zone_sent(w->f.ctx, z.id, 4294967290U, true, &w->e));
	assert_true(is_current(w, 4294967295U, 1500, 900));
}

static void what_is_seen_stays_when_a_zone_is_asked_from_now_on(void **state)
{
	struct world *w = *state;
	struct belief b = belief(w, "a.lab.example"), other = belief(w, "b.lab.example");
	struct zone_row z = {.id = b.zone_id, .known = true};

	ok(w, w->f.zone_put(w->f.ctx, &z, &w->e));
	b.seen_known = other.seen_known = true;
	ok(w, w->f.beliefs_put(w->f.ctx, &other, 1, &w->e));
	ok(w, w->f.begin(w->f.ctx, &w->e));
	z.asked = true;
	ok(w, w->f.zone_put(w->f.ctx, &z, &w->e));
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	z.known = false;
	ok(w, w->f.zone_put(w->f.ctx, &z, &w->e));
	ok(w, w->f.commit(w->f.ctx, &w->e));
	ok(w, w->f.zone_get(w->f.ctx, &z, &w->a, b.zone_id, &w->e));
	assert_true(z.asked && !z.known);
	assert_true(get1(w, "a.lab.example").seen_known);
	assert_false(get1(w, "b.lab.example").seen_known);
}

static void due_owners_come_in_order_and_in_pages(void **state)
{
	struct world *w = *state;
	struct belief b[4] = {belief(w, "d.lab.example"), belief(w, "c.lab.example"),
			      belief(w, "b.lab.example"), belief(w, "a.lab.example")};
	struct store_totals t;
	struct due_page p;

	b[0].due_at_s = 0;
	b[1].due_at_s = 10;
	b[2].due_at_s = 10;
	b[3].due_at_s = 21;
	ok(w, w->f.beliefs_put(w->f.ctx, b, 4, &w->e));
	p = due_page(w, b[0].zone_id, NULL, 10);
	assert_int_equal(p.n, 3);
	assert_true(dname_equal(&p.v[0].owner, &b[0].owner));
	assert_int_equal(p.v[0].due_at_s, 0);
	assert_true(dname_equal(&p.v[1].owner, &b[2].owner));
	assert_true(dname_equal(&p.v[2].owner, &b[1].owner));
	p = due_page(w, b[0].zone_id, &b[0], 1);
	assert_int_equal(p.n, 1);
	assert_true(dname_equal(&p.v[0].owner, &b[2].owner));
	assert_int_equal(due_page(w, b[0].zone_id, &b[1], 5).n, 0);
	assert_int_equal(due_page(w, w->zones[1].id, NULL, 10).n, 0);
	b[0].state = BELIEF_CONFLICT;
	b[1].state = BELIEF_STEP;
	b[0].version = b[1].version = p.v[0].version;
	ok(w, w->f.beliefs_put(w->f.ctx, b, 2, &w->e));
	assert_int_equal(due_page(w, b[0].zone_id, NULL, 10).n, 1);
	ok(w, w->f.totals(w->f.ctx, &t, &w->e));
	assert_int_equal(t.owners[BELIEF_DUE], 2);
	assert_int_equal(t.owners[BELIEF_CONFLICT], 1);
	assert_int_equal(t.held, 0);
}

struct walked {
	int n;
	int records;
	int stop;
};

static int on_walk(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e)
{
	struct walked *k = arg;

	assert_true(owner->len > 0);
	k->n++;
	k->records += (int)seen->n;
	return k->n == k->stop ? err_set(e, ERR_PROTO, "stop") : 0;
}

static void the_walk_shows_what_the_server_should_show(void **state)
{
	struct world *w = *state;
	struct belief b[3] = {belief(w, "a.lab.example"), belief(w, "b.lab.example"),
			      belief(w, "c.lab.example")};
	struct zone_row z = {.id = w->zones[0].id, .known = true};
	struct walked k = {0};

	set(w, &b[0].published, "A 192.0.2.2\nA 192.0.2.3");
	b[0].seen = b[0].published;
	b[0].seen_known = b[1].seen_known = b[2].seen_known = true;
	set(w, &b[1].seen, "A 192.0.2.2");
	set(w, &b[2].published, "A 192.0.2.2");
	ok(w, w->f.zone_put(w->f.ctx, &z, &w->e));
	ok(w, w->f.beliefs_put(w->f.ctx, b, 3, &w->e));
	assert_int_equal(count(w, "select count(*) from ipambridge.owner where seen is null"), 1);
	ok(w, w->f.seen_walk(w->f.ctx, z.id, on_walk, &k, &w->e));
	assert_int_equal(k.n, 3);
	assert_int_equal(k.records, 3);
	k = (struct walked){.stop = 1};
	assert_int_equal(w->f.seen_walk(w->f.ctx, z.id, on_walk, &k, &w->e), ERR_PROTO);
	k = (struct walked){0};
	ok(w, w->f.seen_walk(w->f.ctx, w->zones[1].id, on_walk, &k, &w->e));
	assert_int_equal(k.n, 0);
}

/* ---- single rows, journal ------------------------------------------------------------------ */

static void sources_and_brakes_are_kept(void **state)
{
	struct world *w = *state;
	struct source_row s;
	struct brake b;

	ok(w, w->f.source_get(w->f.ctx, &s, &w->a, src(w, ARP), &w->e));
	assert_null(s.cursor);
	assert_int_equal(s.last_ok_s, 0);
	s.cursor = "{\"at\": 'x'}";
	s.last_ok_s = 11;
	s.last_try_s = 12;
	s.last_error = "no \xff route";
	s.rows = 13;
	s.bad = 14;
	ok(w, w->f.source_put(w->f.ctx, &s, &w->e));
	ok(w, w->f.source_get(w->f.ctx, &s, &w->a, src(w, ARP), &w->e));
	assert_string_equal(s.cursor, "{\"at\": 'x'}");
	assert_string_equal(s.last_error, "no ? route");
	assert_int_equal(s.last_ok_s + s.last_try_s, 23);
	assert_int_equal(s.rows + s.bad, 27);
	assert_int_equal(w->f.source_get(w->f.ctx, &s, &w->a, 9999, &w->e), ERR_BUG);
	ok(w, w->f.brake_get(w->f.ctx, &b, -3, src(w, ARP), &w->e));
	assert_int_equal(b.window_s + b.names + b.used, 0);
	b = (struct brake){.window_s = 100, .names = 4000000000U, .used = 5};
	ok(w, w->f.brake_put(w->f.ctx, &b, -3, src(w, ARP), &w->e));
	b.used = 6;
	ok(w, w->f.brake_put(w->f.ctx, &b, -3, src(w, ARP), &w->e));
	ok(w, w->f.brake_get(w->f.ctx, &b, -3, src(w, ARP), &w->e));
	assert_int_equal(b.window_s, 100);
	assert_true(b.names == 4000000000U);
	assert_int_equal(b.used, 6);
}

static void the_journal_is_only_added_to(void **state)
{
	struct world *w = *state;
	struct dname o = name("a.lab.example");
	struct ipaddr a = addr("192.0.2.1");
	struct journal_line l[2] = {
		{.at_s = 100, .space_id = 1, .zone_id = 2, .owner = &o, .addr = &a,
		 .event = "sent", .before = "", .after = "A 192.0.2.1", .rcode = 0, .why = "it's"},
		{.at_s = clock_wall_s(), .event = "observed", .rcode = -1}};

	ok(w, w->f.journal(w->f.ctx, l, 2, &w->e));
	assert_int_equal(count(w, "select count(*) from ipambridge.journal where owner = "
				  "'a.lab.example' and address = '192.0.2.1' and before = '' and "
				  "rcode = 0 and why = 'it''s'"), 1);
	assert_int_equal(count(w, "select count(*) from ipambridge.journal where owner is null "
				  "and zone_id is null and rcode is null and after is null"), 1);
	assert_int_equal(pg_script(w->pg, "update ipambridge.journal set why = 'x'", &w->e),
			 ERR_DENIED);
	assert_int_equal(pg_script(w->pg, "delete from ipambridge.journal", &w->e), ERR_DENIED);
	assert_int_equal(pg_script(w->pg, "truncate ipambridge.journal", &w->e), ERR_DENIED);
	ok(w, store_journal_trim(w->store, 3600, &w->e));
	assert_int_equal(count(w, "select count(*) from ipambridge.journal"), 1);
	assert_int_equal(pg_script(w->pg, "delete from ipambridge.journal", &w->e), ERR_DENIED);
}

/* More than wait in memory, given one by one, and the texts of each gone before the next. */
static void journal_lines_come_and_go_with_their_transaction(void **state)
{
	struct world *w = *state;
	int i, round;

	for (round = 0; round < 2; round++) {
		ok(w, w->f.begin(w->f.ctx, &w->e));
		for (i = 0; i < 5003; i++) {
			char why[16];
			struct journal_line l = {.at_s = 100, .event = "seen", .rcode = -1,
						 .why = why};

			snprintf(why, sizeof(why), "%d", i);
			ok(w, w->f.journal(w->f.ctx, &l, 1, &w->e));
		}
		if (round == 0)
			w->f.rollback(w->f.ctx);
		else
			ok(w, w->f.commit(w->f.ctx, &w->e));
		assert_int_equal(count(w, "select count(distinct why) from ipambridge.journal "
					  "where event = 'seen'"), round == 0 ? 0 : 5003);
	}
	assert_int_equal(count(w, "select count(*) from (select id, lag(why::int) over (order by id)"
				  " < why::int as up from ipambridge.journal where event = 'seen') t"
				  " where up"), 5002);
}

/* ---- transactions, locks, dry runs --------------------------------------------------------- */

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct belief b = belief(w, "a.lab.example");

	assert_int_equal(w->f.commit(w->f.ctx, &w->e), ERR_BUG);
	ok(w, w->f.begin(w->f.ctx, &w->e));
	assert_int_equal(w->f.begin(w->f.ctx, &w->e), ERR_BUG);
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	get1(w, "a.lab.example");
	w->f.rollback(w->f.ctx);
	w->f.rollback(w->f.ctx);
	assert_int_equal(count(w, "select count(*) from ipambridge.owner"), 0);
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	b.zone_id = 9999;
	/* A write that fails is heard of at the latest when it is to be kept. */
	ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
	assert_int_equal(w->f.commit(w->f.ctx, &w->e), ERR_BUG);
	assert_int_equal(count(w, "select count(*) from ipambridge.owner"), 0);
}

static void a_dry_run_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct obs v[2] = {lease("192.0.2.1", "a", 5), lease("192.0.2.2", "b", 5)};
	struct belief b = belief(w, "a.lab.example");
	struct obs_change *c;
	size_t i;

	ok(w, store_dry_begin(w->store, &w->e));
	for (i = 0; i < 2; i++) {
		ok(w, w->f.begin(w->f.ctx, &w->e));
		ok(w, w->f.lock_space(w->f.ctx, w->spaces[0].id, &w->e));
		keep(w, &v[0], 1);
		ok(w, w->f.beliefs_put(w->f.ctx, &b, 1, &w->e));
		b.version = 1;
		ok(w, w->f.commit(w->f.ctx, &w->e));
		ok(w, w->f.begin(w->f.ctx, &w->e));
		keep(w, &v[1], 1);
		w->f.rollback(w->f.ctx);
		/* An error spoils its step alone. */
		ok(w, w->f.begin(w->f.ctx, &w->e));
		assert_int_equal(pg_run(w->pg, "select 1/0", NULL, &w->e), ERR_BUG);
		w->f.rollback(w->f.ctx);
		assert_int_equal(count(w, "select count(*) from ipambridge.observation"), 1);
		c = stage(w, v, 2, true, 1);
		assert_int_equal(c[0].change, OBS_NEW);
	}
	store_dry_end(w->store);
	assert_int_equal(count(w, "select count(*) from ipambridge.observation"), 0);
	assert_int_equal(count(w, "select count(*) from ipambridge.owner"), 0);
	assert_int_equal(count(w, "select count(*) from ipambridge.source "
				  "where seen_all_at is not null"), 0);
	/* The tables of the session went with it and come again. */
	stage(w, v, 2, true, 2);
}

static void locks_are_held_against_other_sessions(void **state)
{
	struct world *w = *state, v = {0};
	struct store_totals t;

	ok(&v, pg_open(&v.pg, conninfo(), "test", 1, &v.e));
	ok(&v, store_open(&v.store, v.pg, &v.e));
	v.f = store_flow(v.store);
	ok(w, store_run_lock(w->store, &w->e));
	assert_int_equal(store_run_lock(v.store, &v.e), ERR_BUSY);
	assert_string_equal(v.e.text, "another run holds the lock");
	store_run_unlock(w->store);
	ok(&v, store_run_lock(v.store, &v.e));
	store_run_unlock(v.store);
	assert_int_equal(w->f.lock_space(w->f.ctx, 1, &w->e), ERR_BUG);
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.lock_space(w->f.ctx, 1, &w->e));
	ok(w, w->f.totals(w->f.ctx, &t, &w->e));
	ok(&v, v.f.begin(v.f.ctx, &v.e));
	ok(&v, v.f.lock_space(v.f.ctx, 2, &v.e));
	ok(&v, v.f.totals(v.f.ctx, &t, &v.e));
	ok(&v, v.f.lock_space(v.f.ctx, 1, &v.e));
	/* The lock is there before anything is read. */
	assert_int_equal(v.f.totals(v.f.ctx, &t, &v.e), ERR_BUSY);
	v.f.rollback(v.f.ctx);
	ok(w, w->f.commit(w->f.ctx, &w->e));
	ok(&v, v.f.begin(v.f.ctx, &v.e));
	ok(&v, v.f.lock_space(v.f.ctx, 1, &v.e));
	ok(&v, v.f.commit(v.f.ctx, &v.e));
	store_close(v.store);
	pg_close(v.pg);
}

/* ---- bulk ---------------------------------------------------------------------------------- */

/* So many new rows are written another way than one. */
enum { MANY = 100 };

struct fresh {
	struct evidence ev[MANY];
	struct host hosts[MANY];
	struct belief beliefs[MANY];
};

/* Each with what one of the others lacks. */
static void vary_evidence(const struct world *w, struct evidence *v, size_t i)
{
	static uint8_t bytes[130];
	char ip[32];

	snprintf(ip, sizeof(ip), i % 2 == 0 ? "192.0.2.%zu" : "2001:db8::%zx", i);
	*v = evidence(w, i % 3 == 0 ? MANUAL : DHCP, lease(ip, i % 4 == 0 ? "" : "\\\t\n'", 5000));
	v->obs.kind = i % 3 == 0 ? OBS_MANUAL : OBS_LEASE;
	v->obs.mac.known = i % 5 != 0;
	v->obs.duid = (struct bytes){bytes, i % sizeof(bytes)};
	v->obs.client_id = (struct bytes){bytes, i % 7};
	v->obs.dhcid = (struct bytes){bytes, i % 2};
	v->obs.raw = (struct bytes){bytes, i % 4};
	v->obs.ttl_s = (uint32_t)i % 3;
	v->obs.ptr = i % 2;
	v->obs.valid_until_s = i % 3 == 0 ? OBS_FOREVER : (int64_t)i;
	v->obs.seen_at_s = (int64_t)i % 2;
	v->absent_since_s = (int64_t)i % 4;
	v->held = i % 5 == 0;
}

static void vary_host(const struct world *w, struct host *h, size_t i)
{
	char ip[32], owner[64] = "";

	snprintf(ip, sizeof(ip), i % 2 == 0 ? "192.0.2.%zu" : "2001:db8::%zx", i);
	if (i % 3 > 0)
		snprintf(owner, sizeof(owner), "h\\.%zu.lab.example", i);
	*h = host(w, ip, owner);
	h->asked = i % 4 == 0 ? name("wanted.lab.example") : h->name;
	h->id.mac.known = i % 5 != 0;
	h->id.client_id = i % 2 == 0 ? bytes_of("id") : h->id.client_id;
	h->id.duid = i % 3 == 0 ? bytes_of("duid") : h->id.duid;
	h->id.dhcid = i % 4 == 0 ? bytes_of("digest") : h->id.dhcid;
	h->kind = (uint8_t)(i % OBS_KINDS);
	h->ttl_s = (uint32_t)i % 3;
	h->ptr = i % 2;
	h->since_s = (int64_t)i % 4;
	h->expires_at_s = i % 3 == 0 ? OBS_FOREVER : 77;
	h->why = i % 6 == 0 ? NULL : "why's";
}

static void vary_belief(struct world *w, struct belief *b, size_t i)
{
	char owner[64];

	snprintf(owner, sizeof(owner), "o\\.%zu.lab.example", i);
	*b = belief(w, owner);
	b->zone_id = w->zones[i % 2].id;
	b->state = (uint8_t)(i % BELIEF_STATES);
	b->decided = (uint8_t)(i % BELIEF_DECISIONS);
	set(w, &b->published, i % 2 == 0 ? "" : "A 192.0.2.2\nA 192.0.2.3");
	b->seen_known = i % 3 > 0;
	set(w, &b->seen, i % 5 == 0 ? "NS ns.lab.example.\nTXT *" : "A 192.0.2.2\nA 192.0.2.3");
	b->want_kind = (uint8_t)(i % OBS_KINDS);
	b->want_source = i % 2 == 0 ? src(w, DHCP) : 0;
	b->sent_ttl_s = (uint32_t)i;
	b->settled_at_s = (int64_t)i % 3;
	b->removed_at_s = (int64_t)i % 4;
	b->due_at_s = (int64_t)i % 5;
	b->reverts = (uint32_t)i;
	b->attempts = 4000000000U;
	b->why = i % 6 == 0 ? NULL : "it's";
}

static void add(struct world *w, const struct fresh *v, size_t from, size_t n)
{
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.evidence_add(w->f.ctx, v->ev + from, n, &w->e));
	ok(w, w->f.hosts_add(w->f.ctx, w->spaces[0].id, v->hosts + from, n, &w->e));
	ok(w, w->f.beliefs_put(w->f.ctx, v->beliefs + from, n, &w->e));
	ok(w, w->f.commit(w->f.ctx, &w->e));
}

/* All that the three tables hold; they are empty then. */
static char *take_tables(struct world *w)
{
	char *text = ask(w, "select (select string_agg(t::text, e'\\n' order by t::text) "
			    "from ipambridge.observation t)"
			    "|| (select string_agg(t::text, e'\\n' order by t::text) "
			    "from ipambridge.host t)"
			    "|| (select string_agg(t::text, e'\\n' order by t::text) "
			    "from ipambridge.owner t)");

	ask(w, "with o as (delete from ipambridge.observation), h as (delete from ipambridge.host) "
	       "delete from ipambridge.owner returning 1");
	return text;
}

static void many_new_rows_are_kept_as_few_are(void **state)
{
	struct world *w = *state;
	struct fresh *v = calloc(1, sizeof(*v));
	struct zone_row known = {.id = w->zones[0].id, .known = true};
	char *few, *many;
	size_t i;

	ok(w, w->f.zone_put(w->f.ctx, &known, &w->e));
	for (i = 0; i < MANY; i++) {
		vary_evidence(w, &v->ev[i], i);
		vary_host(w, &v->hosts[i], i);
		vary_belief(w, &v->beliefs[i], i);
	}
	for (i = 0; i < MANY; i++)
		add(w, v, i, 1);
	few = take_tables(w);
	add(w, v, 0, MANY);
	many = take_tables(w);
	assert_true(strlen(few) > MANY * 200);
	assert_string_equal(few, many);
	free(v);
}

enum { BULK = 5000 };

static void thousands_of_rows_are_one_step(void **state)
{
	struct world *w = *state;
	struct belief *b = calloc(BULK, sizeof(*b)), *got;
	struct zone_key *k = calloc(BULK, sizeof(*k));
	struct obs *v = calloc(BULK, sizeof(*v));
	struct evidence *ev = calloc(BULK, sizeof(*ev));
	int64_t t0, put_ms, get_ms;
	size_t n, i;
	uint64_t found;

	for (i = 0; i < BULK; i++) {
		char text[64];

		snprintf(text, sizeof(text), "host-%zu.lab.example", i);
		b[i] = belief(w, text);
		b[i].seen_known = true;
		k[i] = (struct zone_key){b[i].zone_id, b[i].owner};
		snprintf(text, sizeof(text), "10.0.%zu.%zu", i / 250, i % 250);
		v[i] = lease(text, "name", 5);
		ev[i] = evidence(w, DHCP, v[i]);
	}
	t0 = clock_mono_ms();
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.beliefs_put(w->f.ctx, b, BULK, &w->e));
	ok(w, w->f.commit(w->f.ctx, &w->e));
	put_ms = clock_mono_ms() - t0;
	t0 = clock_mono_ms();
	ok(w, w->f.beliefs_get(w->f.ctx, &got, &n, k, BULK, &w->a, &w->e));
	get_ms = clock_mono_ms() - t0;
	assert_int_equal(n, BULK);
	for (i = 0; i < BULK; i++)
		got[i].state = BELIEF_STEP;
	t0 = clock_mono_ms();
	ok(w, w->f.beliefs_put(w->f.ctx, got, BULK, &w->e));
	print_message("%d beliefs: insert %lld ms, get %lld ms, update %lld ms\n", BULK,
		      (long long)put_ms, (long long)get_ms, (long long)(clock_mono_ms() - t0));
	ok(w, w->f.evidence_put(w->f.ctx, ev, BULK, &w->e));
	ok(w, w->f.stage_begin(w->f.ctx, src(w, DHCP), &w->e));
	ok(w, w->f.stage_add(w->f.ctx, v, BULK, &w->e));
	ok(w, w->f.stage_diff(w->f.ctx, true, 6000, &found, &w->e));
	assert_int_equal(found, 0);
	free(b);
	free(k);
	free(v);
	free(ev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(policy_ids_stay_and_what_is_not_configured_is_marked),
		T(evidence_with_hostile_bytes_comes_back_whole),
		T(evidence_is_updated_by_key_and_left_alone_when_equal),
		T(evidence_due_is_what_has_run_out),
		T(sources_are_due_for_what_was_over_when_they_were_read),
		T(a_zone_is_current_when_its_serial_is_the_one_that_is_kept),
		T(staged_differences_are_new_changed_ended_absent_and_back),
		T(another_dhcid_is_a_change),
		T(the_later_of_two_staged_rows_with_one_key_wins),
		T(manual_names_of_one_address_are_staged_apart),
		T(differences_are_handed_out_once_and_in_order),
		T(differences_found_in_vain_are_found_again),
		T(an_end_of_something_gone_meanwhile_is_no_difference),
		T(a_complete_read_is_the_last_sighting_of_all_it_shows),
		T(hosts_of_addresses_are_replaced),
		T(beliefs_come_back_whole),
		T(seen_is_known_by_transfer_or_by_query),
		T(hosts_read_ahead_are_never_old),
		T(owners_read_ahead_are_never_old),
		T(what_is_seen_stays_when_a_zone_is_asked_from_now_on),
		T(due_owners_come_in_order_and_in_pages),
		T(due_owners_of_zones_come_together),
		T(the_walk_shows_what_the_server_should_show),
		T(sources_and_brakes_are_kept),
		T(the_journal_is_only_added_to),
		T(journal_lines_come_and_go_with_their_transaction),
		T(a_rolled_back_transaction_leaves_nothing),
		T(a_dry_run_leaves_nothing),
		T(locks_are_held_against_other_sessions),
		T(many_new_rows_are_kept_as_few_are),
		T(thousands_of_rows_are_one_step),
	};

	conninfo();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
