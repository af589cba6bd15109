/* test_model.c - the model name server behaves as the table of real servers says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/model.h"

static struct policy_zone zone = {.id = 1, .text = "lab.example", .ttl_s = 300};
static const uint8_t addr1[4] = {192, 0, 2, 1}, addr2[4] = {192, 0, 2, 2};
static const uint8_t target[] = "\3www\7example\3net";

static struct dname name_of(const char *s)
{
	struct dname n;

	assert_true(dname_parse(&n, s, strlen(s)));
	return n;
}

static int open_model(void **state)
{
	struct model *m = model_new(1, 1000);

	zone.name = name_of("lab.example");
	*state = m;
	return m == NULL || model_serve(m, &zone) < 0 ? -1 : 0;
}

static int close_model(void **state)
{
	model_free(*state);
	return 0;
}

/* One message of one change. */
struct request {
	struct change c;
	struct change_rr pre[8], upd[8];
};

static struct request *at(struct request *q, const char *owner)
{
	memset(q, 0, sizeof(*q));
	q->c.owner = name_of(owner);
	q->c.pre = q->pre;
	q->c.upd = q->upd;
	return q;
}

static void pre(struct request *q, uint16_t class_, uint16_t type, const void *rdata, size_t len)
{
	q->pre[q->c.n_pre++] = (struct change_rr){type, class_, 0, (uint16_t)len, rdata};
}

static void upd(struct request *q, uint16_t class_, uint16_t type, uint32_t ttl_s,
		const void *rdata, size_t len)
{
	q->upd[q->c.n_upd++] = (struct change_rr){type, class_, ttl_s, (uint16_t)len, rdata};
}

static unsigned apply(struct model *m, struct request *q)
{
	const struct change *c = &q->c;

	return model_apply(m, 1, &c, 1);
}

static unsigned add_a(struct model *m, const char *owner, const uint8_t a[4], uint32_t ttl_s)
{
	struct request q;

	upd(at(&q, owner), RR_CLASS_IN, RR_A, ttl_s, a, 4);
	return apply(m, &q);
}

/* How many records of the type the owner has; *ttl_s of the last. */
static size_t count(struct model *m, const char *owner, uint16_t type, uint32_t *ttl_s)
{
	struct dname n = name_of(owner);
	struct model_rr r;
	size_t k = 0;

	for (size_t i = 0; model_rr_at(m, i, &r); i++) {
		if (!dname_equal(r.owner, &n) || r.type != type)
			continue;
		k++;
		if (ttl_s != NULL)
			*ttl_s = r.ttl_s;
	}
	return k;
}

static void several_changes_are_one_serial_step(void **state)
{
	struct request a, b;
	const struct change *c[2] = {&a.c, &b.c};

	upd(at(&a, "h1.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	upd(&a, RR_CLASS_IN, RR_A, 300, addr2, 4);
	upd(at(&b, "h2.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	assert_int_equal(model_apply(*state, 1, c, 2), RCODE_NOERROR);
	assert_int_equal(model_serial(*state, 1), 2);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 2);
}

static void nothing_changed_leaves_the_serial(void **state)
{
	struct request q;

	add_a(*state, "h1.lab.example", addr1, 300);
	assert_int_equal(add_a(*state, "h1.lab.example", addr1, 300), RCODE_NOERROR);
	upd(at(&q, "h1.lab.example"), RR_CLASS_NONE, RR_A, 0, addr2, 4);
	upd(&q, RR_CLASS_ANY, RR_TXT, 0, NULL, 0);
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);
	upd(at(&q, "h1.lab.example"), RR_CLASS_NONE, RR_A, 0, addr1, 4);  /* out and in again */
	upd(&q, RR_CLASS_IN, RR_A, 300, addr1, 4);
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);
	assert_int_equal(model_serial(*state, 1), 2);
}

static void another_ttl_is_taken_by_the_whole_set(void **state)
{
	uint32_t ttl_s = 0;

	add_a(*state, "h1.lab.example", addr2, 300);
	add_a(*state, "h1.lab.example", addr1, 60);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, &ttl_s), 2);
	assert_int_equal(ttl_s, 60);
	add_a(*state, "h1.lab.example", addr1, 90);
	count(*state, "h1.lab.example", RR_A, &ttl_s);
	assert_int_equal(ttl_s, 90);
	assert_int_equal(model_serial(*state, 1), 4);
}

static void cname_beside_data_is_dropped_in_silence(void **state)
{
	struct request q;

	add_a(*state, "h1.lab.example", addr1, 300);
	upd(at(&q, "h1.lab.example"), RR_CLASS_IN, RR_CNAME, 300, target, sizeof(target));
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);
	assert_int_equal(count(*state, "h1.lab.example", RR_CNAME, NULL), 0);
	assert_int_equal(model_serial(*state, 1), 2);
}

static void address_beside_cname_is_dropped_in_silence(void **state)
{
	struct request q;

	upd(at(&q, "c.lab.example"), RR_CLASS_IN, RR_CNAME, 300, target, sizeof(target));
	apply(*state, &q);
	assert_int_equal(add_a(*state, "c.lab.example", addr1, 300), RCODE_NOERROR);
	assert_int_equal(count(*state, "c.lab.example", RR_A, NULL), 0);
	assert_int_equal(model_serial(*state, 1), 2);
}

static void second_cname_replaces_the_first(void **state)
{
	static const uint8_t other[] = "\1x\7example\3net";
	struct request q;

	upd(at(&q, "c.lab.example"), RR_CLASS_IN, RR_CNAME, 300, target, sizeof(target));
	upd(&q, RR_CLASS_IN, RR_CNAME, 300, other, sizeof(other));
	apply(*state, &q);
	assert_int_equal(count(*state, "c.lab.example", RR_CNAME, NULL), 1);
}

static void prerequisites_answer_as_rfc_2136_says(void **state)
{
	static const struct {
		const char *owner;
		uint16_t class_, type;
		unsigned rcode;
	} row[] = {
		{"h1.lab.example", RR_CLASS_NONE, RR_ANY, RCODE_YXDOMAIN},
		{"h1.lab.example", RR_CLASS_NONE, RR_A, RCODE_YXRRSET},
		{"h1.lab.example", RR_CLASS_NONE, RR_TXT, RCODE_NOERROR},
		{"h1.lab.example", RR_CLASS_ANY, RR_ANY, RCODE_NOERROR},
		{"h1.lab.example", RR_CLASS_ANY, RR_A, RCODE_NOERROR},
		{"h1.lab.example", RR_CLASS_ANY, RR_TXT, RCODE_NXRRSET},
		{"h2.lab.example", RR_CLASS_ANY, RR_ANY, RCODE_NXDOMAIN},
		{"h2.lab.example", RR_CLASS_ANY, RR_A, RCODE_NXRRSET},
		{"h2.lab.example", RR_CLASS_NONE, RR_ANY, RCODE_NOERROR},
		{"h1.other.example", RR_CLASS_NONE, RR_ANY, RCODE_NOTZONE},
		{"h1.lab.example", 3, RR_A, RCODE_FORMERR},
		{"h1.lab.example", RR_CLASS_ANY, RR_AXFR, RCODE_FORMERR},
	};
	struct request q;

	add_a(*state, "h1.lab.example", addr1, 300);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		pre(at(&q, row[i].owner), row[i].class_, row[i].type, NULL, 0);
		assert_int_equal(apply(*state, &q), row[i].rcode);
	}
}

static void value_prerequisite_must_be_the_whole_set(void **state)
{
	struct request q;

	add_a(*state, "h1.lab.example", addr1, 300);
	add_a(*state, "h1.lab.example", addr2, 300);
	pre(at(&q, "h1.lab.example"), RR_CLASS_IN, RR_A, addr1, 4);
	assert_int_equal(apply(*state, &q), RCODE_NXRRSET);
	pre(&q, RR_CLASS_IN, RR_A, addr2, 4);
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);
	pre(&q, RR_CLASS_IN, RR_A, target, 4);
	assert_int_equal(apply(*state, &q), RCODE_NXRRSET);
	pre(at(&q, "h2.lab.example"), RR_CLASS_IN, RR_A, addr1, 4);
	assert_int_equal(apply(*state, &q), RCODE_NXRRSET);
}

static void prerequisite_with_ttl_is_formerr(void **state)
{
	struct request q;

	pre(at(&q, "h1.lab.example"), RR_CLASS_NONE, RR_ANY, NULL, 0);
	q.pre[0].ttl_s = 1;
	assert_int_equal(apply(*state, &q), RCODE_FORMERR);
}

static void prerequisites_of_all_changes_come_before_any_update(void **state)
{
	struct request a, b;
	const struct change *c[2] = {&a.c, &b.c};

	upd(at(&a, "h1.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	pre(at(&b, "h1.lab.example"), RR_CLASS_ANY, RR_A, NULL, 0);
	assert_int_equal(model_apply(*state, 1, c, 2), RCODE_NXRRSET);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 0);
	assert_int_equal(model_serial(*state, 1), 1);
}

static void malformed_updates_undo_the_whole_message(void **state)
{
	struct request a, b;
	const struct change *c[2] = {&a.c, &b.c};

	upd(at(&a, "h1.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	upd(at(&b, "h1.other.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	assert_int_equal(model_apply(*state, 1, c, 2), RCODE_NOTZONE);
	upd(at(&b, "h2.lab.example"), RR_CLASS_ANY, RR_A, 300, NULL, 0);
	assert_int_equal(model_apply(*state, 1, c, 2), RCODE_FORMERR);
	upd(at(&b, "h2.lab.example"), RR_CLASS_IN, RR_ANY, 300, NULL, 0);
	assert_int_equal(model_apply(*state, 1, c, 2), RCODE_FORMERR);
	upd(at(&b, "h2.lab.example"), RR_CLASS_NONE, RR_ANY, 0, NULL, 0);
	assert_int_equal(model_apply(*state, 1, c, 2), RCODE_FORMERR);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 0);
	assert_int_equal(model_serial(*state, 1), 1);
}

static void record_over_the_limit_is_servfail_and_undone(void **state)
{
	uint8_t a[4] = {10, 0, 0, 0};
	struct request q;

	for (int i = 0; i < MODEL_TYPE_MAX; i++) {
		a[3] = (uint8_t)i;
		assert_int_equal(add_a(*state, "big.lab.example", a, 300), RCODE_NOERROR);
	}
	upd(at(&q, "big.lab.example"), RR_CLASS_IN, RR_TXT, 300, "\1x", 2);
	upd(&q, RR_CLASS_IN, RR_A, 300, addr1, 4);
	assert_int_equal(apply(*state, &q), RCODE_SERVFAIL);
	assert_int_equal(count(*state, "big.lab.example", RR_TXT, NULL), 0);
	assert_int_equal(count(*state, "big.lab.example", RR_A, NULL), MODEL_TYPE_MAX);
}

static void apex_keeps_its_name_servers(void **state)
{
	struct request q;

	upd(at(&q, "lab.example"), RR_CLASS_ANY, RR_ANY, 0, NULL, 0);
	upd(&q, RR_CLASS_ANY, RR_NS, 0, NULL, 0);
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);
	assert_int_equal(count(*state, "lab.example", RR_NS, NULL), 1);
	assert_int_equal(model_serial(*state, 1), 1);
}

static void any_removes_every_set_of_a_name(void **state)
{
	struct request q;

	add_a(*state, "h1.lab.example", addr1, 300);
	upd(at(&q, "h1.lab.example"), RR_CLASS_IN, RR_TXT, 300, "\1x", 2);
	apply(*state, &q);
	upd(at(&q, "h1.lab.example"), RR_CLASS_ANY, RR_ANY, 0, NULL, 0);
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);
	pre(at(&q, "h1.lab.example"), RR_CLASS_NONE, RR_ANY, NULL, 0);
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);
}

static void refused_owner_refuses_the_whole_message_after_prerequisites(void **state)
{
	struct request a, b;
	const struct change *c[2] = {&a.c, &b.c};
	struct dname n = name_of("no.lab.example");

	model_refuse(*state, &n);
	upd(at(&a, "h1.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	upd(at(&b, "no.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	assert_int_equal(model_apply(*state, 1, c, 2), RCODE_REFUSED);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 0);
	pre(&b, RR_CLASS_ANY, RR_A, NULL, 0);
	assert_int_equal(model_apply(*state, 1, c, 2), RCODE_NXRRSET);
}

static void removing_a_persons_record_is_a_trespass(void **state)
{
	struct dname n = name_of("h1.lab.example");
	struct request q;

	assert_true(model_person_add(*state, 1, &n, RR_A, 300, addr1, 4));
	add_a(*state, "h1.lab.example", addr2, 300);
	upd(at(&q, "h1.lab.example"), RR_CLASS_NONE, RR_A, 0, addr2, 4);
	apply(*state, &q);
	assert_string_equal(model_trespass(*state), "");
	upd(at(&q, "h1.lab.example"), RR_CLASS_ANY, RR_A, 0, NULL, 0);
	apply(*state, &q);
	assert_non_null(strstr(model_trespass(*state), "h1.lab.example"));
}

static void restored_zone_has_its_old_records_and_serial(void **state)
{
	add_a(*state, "h1.lab.example", addr1, 300);
	assert_int_equal(model_save(*state, 1), 0);
	assert_false(model_restore(*state, 1));
	add_a(*state, "h2.lab.example", addr2, 300);
	assert_true(model_restore(*state, 1));
	assert_int_equal(model_serial(*state, 1), 2);
	assert_int_equal(count(*state, "h2.lab.example", RR_A, NULL), 0);
}

/* ---- on the way to the server ------------------------------------------------------------- */

static struct answer exchange_a(struct model *m)
{
	struct request q;
	struct flow_net net = model_net(m, 0);
	const struct change *c = &q.c;
	struct answer a;
	uint64_t tag = 0;

	upd(at(&q, "h1.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	assert_int_equal(net.submit(net.ctx, &zone, &c, 1, 77, NULL), 0);
	assert_int_equal(net.collect(net.ctx, &tag, &a, NULL), 1);
	return a;
}

static void good_message_is_answered_and_verified(void **state)
{
	struct answer a = exchange_a(*state);

	assert_int_equal(a.end, ANSWER_REPLY);
	assert_int_equal(a.rcode, RCODE_NOERROR);
	assert_true(a.verified);
	assert_int_equal(model_updates(*state), 1);
}

static void lost_request_times_out_and_changes_nothing(void **state)
{
	model_faults(*state)->lost_request = 1000;
	assert_int_equal(exchange_a(*state).end, ANSWER_TIMEOUT);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 0);
	assert_int_equal(model_now_s(*state), 1000 + MODEL_TIMEOUT_S);
}

static void lost_answer_times_out_after_the_change(void **state)
{
	model_faults(*state)->lost_answer = 1000;
	assert_int_equal(exchange_a(*state).end, ANSWER_TIMEOUT);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 1);
}

static void late_message_is_applied_within_the_fudge(void **state)
{
	struct request q;

	model_faults(*state)->late = 1000;
	assert_int_equal(exchange_a(*state).end, ANSWER_TIMEOUT);
	model_faults(*state)->late = 0;
	upd(at(&q, "h2.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);  /* a newer one goes first */
	model_advance(*state, MODEL_FUDGE_S);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 1);
	assert_int_equal(model_serial(*state, 1), 3);
}

static void repeated_message_undoes_a_later_one_that_it_fits(void **state)
{
	struct request q;

	model_faults(*state)->lost_answer = model_faults(*state)->repeated = 1000;
	assert_int_equal(exchange_a(*state).end, ANSWER_TIMEOUT);
	upd(at(&q, "h1.lab.example"), RR_CLASS_ANY, RR_A, 0, NULL, 0);
	assert_int_equal(apply(*state, &q), RCODE_NOERROR);
	model_advance(*state, MODEL_FUDGE_S);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 1);
	assert_int_equal(model_updates(*state), 1);
}

static void updater_writes_and_a_stranger_is_not_the_bridges_to_remove(void **state)
{
	static const uint8_t dhcid[35] = {0, 1, 1};
	struct request q;
	bool took;

	upd(at(&q, "h1.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	upd(&q, RR_CLASS_IN, RR_DHCID, 300, dhcid, sizeof(dhcid));
	assert_int_equal(model_updater(*state, 1, &q.c, &took), RCODE_NOERROR);
	assert_false(took);
	upd(at(&q, "h1.lab.example"), RR_CLASS_ANY, RR_ANY, 0, NULL, 0);
	apply(*state, &q);
	assert_string_not_equal(model_trespass(*state), "");
}

static void updater_takes_what_the_bridge_wrote(void **state)
{
	struct request q;
	bool took;

	exchange_a(*state);
	upd(at(&q, "h1.lab.example"), RR_CLASS_ANY, RR_ANY, 0, NULL, 0);
	assert_int_equal(model_updater(*state, 1, &q.c, &took), RCODE_NOERROR);
	assert_true(took);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 0);
}

static void late_message_still_meets_its_prerequisites(void **state)
{
	struct flow_net net = model_net(*state, 0);
	struct request q;
	const struct change *c = &q.c;
	struct answer a;
	uint64_t tag;

	model_faults(*state)->late = 1000;
	pre(at(&q, "h1.lab.example"), RR_CLASS_NONE, RR_ANY, NULL, 0);
	upd(&q, RR_CLASS_IN, RR_A, 300, addr1, 4);
	net.submit(net.ctx, &zone, &c, 1, 1, NULL);
	net.collect(net.ctx, &tag, &a, NULL);
	add_a(*state, "h1.lab.example", addr2, 300);
	model_advance(*state, MODEL_FUDGE_S);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 1);
}

static void broken_connection_loses_everything_in_flight(void **state)
{
	struct flow_net net = model_net(*state, 0);
	struct request q;
	const struct change *c = &q.c;
	struct answer a;
	uint64_t tag;

	upd(at(&q, "h1.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	net.submit(net.ctx, &zone, &c, 1, 1, NULL);
	net.submit(net.ctx, &zone, &c, 1, 2, NULL);
	model_faults(*state)->broken = 1000;
	for (uint64_t i = 1; i <= 2; i++) {
		assert_int_equal(net.collect(net.ctx, &tag, &a, NULL), 1);
		assert_int_equal(tag, i);
		assert_int_equal(a.end, ANSWER_LOST);
		model_faults(*state)->broken = 0;
	}
}

static void unreachable_server_certainly_did_nothing(void **state)
{
	struct flow_net net = model_net(*state, 0);
	uint32_t serial;

	model_faults(*state)->down = true;
	assert_int_equal(exchange_a(*state).end, ANSWER_UNSENT);
	assert_int_equal(net.soa(net.ctx, &zone, &serial, NULL), ERR_SYS);
	model_advance(*state, MODEL_FUDGE_S);
	assert_int_equal(count(*state, "h1.lab.example", RR_A, NULL), 0);
}

static void full_window_is_busy(void **state)
{
	struct flow_net net = model_net(*state, 0);
	struct request q;
	const struct change *c = &q.c;
	int r = 0, n = 0;

	upd(at(&q, "h1.lab.example"), RR_CLASS_IN, RR_A, 300, addr1, 4);
	for (; r == 0 && n < 100; n++)
		r = net.submit(net.ctx, &zone, &c, 1, (uint64_t)n, NULL);
	assert_int_equal(r, ERR_BUSY);
}

static int count_sink(void *arg, const struct dname *owner, uint16_t type, uint32_t ttl_s,
		      const uint8_t *rdata, size_t rdlen, struct err *e)
{
	(void)owner, (void)type, (void)ttl_s, (void)rdata, (void)rdlen, (void)e;
	++*(int *)arg;
	return 0;
}

static void transfer_shows_all_records_and_the_serial(void **state)
{
	struct flow_net net = model_net(*state, 0);
	uint32_t serial = 0;
	int n = 0;

	add_a(*state, "h1.lab.example", addr1, 300);
	assert_int_equal(net.transfer(net.ctx, &zone, count_sink, &n, &serial, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(serial, 2);
	model_faults(*state)->read_fails = 1000;
	assert_int_equal(net.transfer(net.ctx, &zone, count_sink, &n, &serial, NULL), ERR_SYS);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, open_model, close_model)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(several_changes_are_one_serial_step),
		T(nothing_changed_leaves_the_serial),
		T(another_ttl_is_taken_by_the_whole_set),
		T(cname_beside_data_is_dropped_in_silence),
		T(address_beside_cname_is_dropped_in_silence),
		T(second_cname_replaces_the_first),
		T(prerequisites_answer_as_rfc_2136_says),
		T(value_prerequisite_must_be_the_whole_set),
		T(prerequisite_with_ttl_is_formerr),
		T(prerequisites_of_all_changes_come_before_any_update),
		T(malformed_updates_undo_the_whole_message),
		T(record_over_the_limit_is_servfail_and_undone),
		T(apex_keeps_its_name_servers),
		T(any_removes_every_set_of_a_name),
		T(refused_owner_refuses_the_whole_message_after_prerequisites),
		T(removing_a_persons_record_is_a_trespass),
		T(restored_zone_has_its_old_records_and_serial),
		T(good_message_is_answered_and_verified),
		T(lost_request_times_out_and_changes_nothing),
		T(lost_answer_times_out_after_the_change),
		T(late_message_is_applied_within_the_fudge),
		T(late_message_still_meets_its_prerequisites),
		T(repeated_message_undoes_a_later_one_that_it_fits),
		T(updater_writes_and_a_stranger_is_not_the_bridges_to_remove),
		T(updater_takes_what_the_bridge_wrote),
		T(broken_connection_loses_everything_in_flight),
		T(unreachable_server_certainly_did_nothing),
		T(full_window_is_busy),
		T(transfer_shows_all_records_and_the_serial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
