/* test_status.c - the verdict of status: the loudest trouble first, the others counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/report/status.h"

enum { NOW = 1700000000 };

struct world {
	struct status_source source;
	struct status_server server;
	struct status_zone zone;
	struct pass_row pass;
	struct role_state roles[2];
	struct report_status s;
};

static struct report_status *fresh(struct world *w)
{
	*w = (struct world){
	    .source = {.space = "default", .name = "dhcp", .last_ok_s = NOW - 60, .late_s = 900},
	    .server = {.name = "ns1", .state = "ok"},
	    .zone = {.space = "default", .name = "lab.example", .server = "ns1"},
	    .pass = {.verb = "reconcile", .ended_s = NOW - 60},
	    .roles = {{.host = "a", .role = "push", .of = "ns1", .state = "running",
		       .alive_at_s = NOW - 3600},
		      {.host = "a", .role = "push", .of = "ns1", .state = "running",
		       .alive_at_s = NOW - 5}},
	};
	w->s = (struct report_status){
	    .now_s = NOW, .sources = &w->source, .n_sources = 1, .servers = &w->server,
	    .n_servers = 1, .zones = &w->zone, .n_zones = 1, .passes = &w->pass, .n_passes = 1,
	    .roles = w->roles, .pass_late_s = 900,
	};
	return &w->s;
}

static void check(const struct report_status *s, unsigned troubles, const char *verdict)
{
	struct buf b = BUF_INIT;

	assert_int_equal(status_verdict(&b, s), troubles);
	assert_string_equal(buf_text(&b), verdict);
	buf_fini(&b);
}

static void nothing_is_the_matter(void **state)
{
	struct world w;

	(void)state;
	check(fresh(&w), 0, "all in step");
	w.zone.agreed = w.zone.waits = 7;
	check(&w.s, 0, "all in step");
}

static void each_trouble_has_its_sentence(void **state)
{
	struct world w;

	(void)state;
	fresh(&w)->n_passes = 0;
	check(&w.s, 1, "no pass was made yet and no daemon runs");
	fresh(&w);
	w.pass.ended_s = NOW - 7300;
	check(&w.s, 1, "the last pass ended 2 h ago and no daemon runs");
	fresh(&w);
	w.pass.error = "the database is away";
	check(&w.s, 1, "the last pass failed: the database is away");
	fresh(&w);
	w.source.error = "no such file";
	w.source.last_ok_s = 0;
	check(&w.s, 1, "source \"dhcp\" cannot be read, last read never: no such file");
	w.source.last_ok_s = NOW - 7200;
	check(&w.s, 1,
	      "source \"dhcp\" cannot be read, last read 2023-11-14T20:13:20Z: no such file");
	w.source.error = NULL;
	check(&w.s, 1, "source \"dhcp\" was last read 2 h ago");
	w.source.late_s = 0;
	check(&w.s, 0, "all in step");
	w.server.state = "parked";
	w.server.live.since_s = NOW;
	w.server.error = "BADKEY";
	check(&w.s, 1, "server \"ns1\" is parked since 2023-11-14T22:13:20Z: BADKEY");
	fresh(&w)->held = 3;
	check(&w.s, 1, "the brake holds 3 rows; if they may go: ipambridge reconcile --force ZONE");
	fresh(&w);
	w.zone.frozen = 2;
	check(&w.s, 1, "2 names are frozen, somebody keeps undoing what is written: ipambridge list "
	      "conflicts, ipambridge resolve");
	fresh(&w);
	w.zone.refused = 1;
	check(&w.s, 1, "1 name is refused by the server: ipambridge list conflicts");
	fresh(&w);
	w.zone.queue = 9;
	check(&w.s, 1, "9 names are still to be sent");
}

static void a_daemon_makes_old_passes_no_matter(void **state)
{
	struct world w;

	(void)state;
	fresh(&w)->n_roles = 2;
	w.pass.ended_s = NOW - 7200;
	check(&w.s, 0, "all in step");
	w.roles[1].state = "failing";
	w.roles[1].status = "no database";
	check(&w.s, 1, "process push:ns1 fails: no database");
}

static void a_silent_process_is_told_unless_it_was_replaced(void **state)
{
	struct world w;

	(void)state;
	fresh(&w)->n_roles = 2;
	check(&w.s, 0, "all in step");
	w.s.n_roles = 1;
	check(&w.s, 1, "process push:ns1 on a gives no sign of life for 60 min");
}

static void the_loudest_comes_first_and_the_others_are_counted(void **state)
{
	struct world w;

	(void)state;
	fresh(&w)->held = 1;
	w.zone.conflicts = 4;
	w.server.state = "unreachable";
	check(&w.s, 3, "server \"ns1\" is unreachable (and 2 more)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_the_matter),
	    cmocka_unit_test(each_trouble_has_its_sentence),
	    cmocka_unit_test(a_daemon_makes_old_passes_no_matter),
	    cmocka_unit_test(a_silent_process_is_told_unless_it_was_replaced),
	    cmocka_unit_test(the_loudest_comes_first_and_the_others_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
