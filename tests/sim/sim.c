/* sim.c - the driver: a random life by seed, passes through crashes and a bad network, then
 * quiet, then the questions.
 *
 *	sim [-s FIRST] [-n COUNT] [-v] [-v]
 *
 * Once -v tells the story, twice shows what is kept and served after every pass.
 * Every seed is a world of its own; a violation prints the one command that plays it again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/oracle.h"
#include "tests/sim/pass.h"
#include "tests/sim/photo.h"
#include "tests/sim/together.h"
#include "tests/sim/truth.h"

enum { STEPS = 24, QUIET_ROUNDS = 40, RESTORED_STEPS = 12, HANDS_STEPS = 4, FURTHER_PASSES = 5 };
enum { ROUND_S = 400, LONG_S = 4200 };  /* over the TSIG fudge and backoff; over stale-after */

struct total {
	struct oracle_counts counts;
	struct truth_counts truth;
	uint64_t passes, crashes, updates, told;
};

/* What this pass wrote into the journal. */
static void dump_journal(struct world *w)
{
	char name[DNAME_TEXT], ip[IPADDR_TEXT];

	for (; w->journal_shown < memstore_journal_n(w->bridge[0].ms); w->journal_shown++) {
		const struct journal_line *l = memstore_journal_at(w->bridge[0].ms, w->journal_shown);

		printf("journal %s %s %s {%s} {%s}: %s\n", l->event,
		       l->owner == NULL ? "-" : dname_print(name, l->owner),
		       l->addr == NULL ? "-" : ipaddr_print(ip, l->addr),
		       l->before == NULL ? "" : l->before, l->after == NULL ? "" : l->after,
		       l->why == NULL ? "" : l->why);
	}
}

static void dump(struct world *w)
{
	struct buf b = BUF_INIT;
	struct model_rr r;
	char name[DNAME_TEXT];

	dump_journal(w);
	memstore_dump(w->bridge[0].ms, &b);
	for (size_t i = 0; model_rr_at(w->model, i, &r); i++) {
		static const char *const author[] = {"person", "bridge", "either", "updater"};

		buf_printf(&b, "record %s %s ", author[r.author], dname_print(name, r.owner));
		rr_print(&b, &(struct rr){r.type, r.rdata.len, r.rdata.p});
		buf_chr(&b, '\n');
	}
	fputs(buf_text(&b), stdout);
	buf_fini(&b);
}

/* ---- one pass ----------------------------------------------------------------------------- */

static enum pass_kind kind_of(struct bridge *b)
{
	if (b->w->company != DAEMON)
		return PASS_RUN;
	return b->no == 1 ? PASS_SEND : rng_permille(&b->w->pair, 300) ? PASS_RUN : PASS_LOOK;
}

/* What came of both together. */
static struct {
	struct flow_counts counts;
	int failed;
} together;

static void work(struct bridge *b)
{
	struct flow_counts counts;
	int r = pass_run(b, kind_of(b), &counts);

	together.failed += r < 0;
	together.counts.pending += counts.pending;
	together.counts.changed += counts.changed;
}

/* Whoever there is does a pass.  Negative: a pass did not come through. */
static int reconcile(struct world *w, struct flow_counts *counts)
{
	int r = 0;

	if (w->company == ALONE) {
		r = pass_run(&w->bridge[0], PASS_RUN, counts);
	} else {
		memset(&together, 0, sizeof(together));
		together_run(w, work);
		*counts = together.counts;
		r = -together.failed;
	}
	if (w->verbose > 1)
		dump(w);
	return r;
}

static void set_modes(struct world *w, enum feed_mode mode)
{
	for (int i = 0; i <= N_SOURCES; i++)
		w->mode[i] = mode;
}

static void bad_weather(struct world *w)
{
	struct model_faults *f = model_faults(w->model);

	memset(f, 0, sizeof(*f));
	f->keeps_zones = w->no_transfers;
	if (rng_permille(&w->rng, 350))
		return;
	f->lost_request = rng_below(&w->rng, 150);
	f->lost_answer = rng_below(&w->rng, 150);
	f->late = rng_below(&w->rng, 150);
	f->broken = rng_below(&w->rng, 100);
	f->unsent = rng_below(&w->rng, 100);
	f->repeated = rng_below(&w->rng, 500);
	f->replayed = w->replays ? 200 : 0;
	f->reordered = rng_below(&w->rng, 300);
	f->servfail = rng_below(&w->rng, 100);
	f->read_fails = rng_below(&w->rng, 200);
	f->no_history = rng_below(&w->rng, 200);
	f->torn_history = rng_below(&w->rng, 50);
	f->down = rng_permille(&w->rng, 60);
	f->keeps_zones = w->no_transfers || rng_permille(&w->rng, 60);
}

static void bad_sources(struct world *w)
{
	set_modes(w, FEED_GOOD);
	for (int i = 1; i <= N_SOURCES; i++)
		if (rng_permille(&w->rng, 150))
			w->mode[i] = (enum feed_mode)rng_below(&w->rng, FEED_EMPTY + 1);
}

static void plan_crash(struct bridge *b, struct rng *rng)
{
	if (rng_permille(rng, 600))
		return;
	memstore_crash_commit(b->ms, rng_permille(rng, 500));
	memstore_crash_at(b->ms, 1 + rng_below(rng, rng_permille(rng, 500) ? 40 : 400));
}

/* Nobody is to die any more. */
static void no_crash(struct world *w)
{
	for (int i = 0; i < MEMSTORE_SESSIONS; i++)
		memstore_crash_at(w->bridge[i].ms, 0);
}

/* What comes late comes now. */
static void advance(struct world *w, int64_t seconds)
{
	model_advance(w->model, seconds);
	truth_look(w->truth, w, TRUTH_BEFORE_HAND);
}

/* ---- a person at the command line --------------------------------------------------------- */

static int observe(struct world *w, const struct manual *m, bool end)
{
	struct flow f = pass_flow(&w->bridge[0]);
	struct err e = {0};
	struct obs o;
	int r;

	feed_obs_manual(&o, w, m, end);
	r = flow_observe(&f, &w->space, &w->sources[SRC_MANUAL - 1], &o, 1, &e);
	if (r == ERR_BUG)
		world_fault(w, "observe ended with: %s", e.text);
	return r;
}

/* add-host and del-host are repeated until they were acknowledged. */
static void manual_event(struct world *w)
{
	struct manual *m = &w->manual[rng_below(&w->rng, N_MANUAL)];
	char ip[IPADDR_TEXT];
	int r = -1;

	if (!m->present) {
		m->addr = w->leases[rng_below(&w->rng, N_LEASES4)].addr;
		for (int i = 0; i < N_MANUAL; i++)
			if (w->manual[i].present && ipaddr_cmp(&w->manual[i].addr, &m->addr) == 0)
				return;
	}
	plan_crash(&w->bridge[0], &w->rng);
	for (int tries = 0; r < 0 && tries < 3; tries++) {
		r = observe(w, m, m->present);
		if (memstore_crashed(w->bridge[0].ms))
			pass_come_back(&w->bridge[0]);
	}
	no_crash(w);
	if (r < 0)
		world_fault(w, "a manual record was not taken although nothing is broken");
	m->present = !m->present;
	truth_told(w->truth, w, &m->addr);
	world_say(w, "manual %s %s %s", m->label, ipaddr_print(ip, &m->addr),
		  m->present ? "added" : "removed");
}

/* ---- a life ------------------------------------------------------------------------------- */

/* The DHCP servers notice what is over, and D2 is at work. */
static void d2_work(struct world *w)
{
	for (int i = 0; i < N_LEASES; i++)
		d2_lease(w, &w->leases[i]);
	for (unsigned n = w->d2.runs ? rng_below(&w->d2.rng, 6) : 0; n > 0; n--)
		d2_event(w);
}

static void live(struct world *w, struct total *t)
{
	for (int step = 0; step < STEPS && w->fault.len == 0; step++) {
		struct flow_counts counts;

		for (unsigned n = rng_below(&w->rng, 6); n > 0; n--)
			world_event(w);
		d2_work(w);
		if (rng_permille(&w->rng, 150))
			manual_event(w);
		for (int n = 0; w->decides && n < 3; n++)
			decides_event(w);
		bad_weather(w);
		bad_sources(w);
		w->gentle = rng_permille(&w->rng, 500);
		plan_crash(&w->bridge[0], &w->rng);
		if (w->company != ALONE)
			plan_crash(&w->bridge[1], &w->pair);
		world_say(w, "pass %d", step);
		t->crashes += reconcile(w, &counts) < 0;
		t->passes++;
		no_crash(w);
		advance(w, 1 + rng_below(&w->rng, 900));
	}
}

static void heal(struct world *w)
{
	*model_faults(w->model) = (struct model_faults){.keeps_zones = w->no_transfers};
	set_modes(w, FEED_GOOD);
	w->gentle = false;
	no_crash(w);
	d2_drain(w);
	truth_look(w->truth, w, TRUTH_AFTER_HAND);
	w->d2.runs = false;
	w->healed = true;
}

static uint64_t serials(const struct world *w)
{
	uint64_t sum = 0;

	for (int i = 0; i < N_ZONES; i++)
		sum += model_serial(w->model, w->zones[i].id);
	return sum;
}

/* Passes until two in a row, far enough apart, had nothing to send. */
static void settle(struct world *w, struct total *t)
{
	struct flow_counts counts;
	int quiet = 0;

	for (int round = 0; round < QUIET_ROUNDS && quiet < 2 && w->fault.len == 0; round++) {
		uint64_t before = model_updates(w->model);

		advance(w, round < 2 ? LONG_S : ROUND_S);
		world_say(w, "healed, round %d", round);
		if (reconcile(w, &counts) < 0)
			world_fault(w, "a pass fails although nothing is broken");
		t->passes++;
		quiet = model_updates(w->model) == before && counts.pending == 0 ? quiet + 1 : 0;
	}
	if (quiet < 2)
		world_fault(w, "no convergence in %d passes: %llu pending", QUIET_ROUNDS,
			    (unsigned long long)counts.pending);
}

/* ---- questions after convergence ---------------------------------------------------------- */

static void ask_nothing_moves(struct world *w, const char *what, bool removals_only)
{
	uint64_t updates = model_updates(w->model), removed = model_removed(w->model);
	uint64_t before = serials(w);
	struct flow_counts counts;

	if (w->fault.len > 0)
		return;
	world_say(w, "question: %s", what);
	reconcile(w, &counts);
	if (model_removed(w->model) != removed)
		world_fault(w, "%s: records were removed", what);
	if (removals_only)
		return;
	if (model_updates(w->model) != updates)
		world_fault(w, "%s: %llu updates were sent", what,
			    (unsigned long long)(model_updates(w->model) - updates));
	if (serials(w) != before)
		world_fault(w, "%s: a serial moved", what);
	if (counts.changed != 0)
		world_fault(w, "%s: the pass says it changed %llu", what,
			    (unsigned long long)counts.changed);
}

static void ask_further(struct world *w)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	ask_nothing_moves(w, "a further pass", false);
	memstore_dump(w->bridge[0].ms, &a);
	for (int n = 1; n < FURTHER_PASSES; n++)
		ask_nothing_moves(w, "one more pass", false);
	memstore_dump(w->bridge[0].ms, &b);
	if (w->fault.len == 0 && strcmp(buf_text(&a), buf_text(&b)) != 0)
		world_fault(w, "two equal passes left different states");
	buf_fini(&a);
	buf_fini(&b);
}

/* From now on one bridge does it all. */
static void send_away(struct world *w)
{
	pass_come_back(&w->bridge[1]);
	w->company = ALONE;
}

static void some_changes(struct world *w, struct total *t)
{
	struct flow_counts counts;

	for (int n = 0; n < RESTORED_STEPS; n++) {
		world_lease_event(w);
		if (rng_permille(&w->rng, 300))
			manual_event(w);
		if (rng_permille(&w->rng, 500))
			reconcile(w, &counts);
	}
	settle(w, t);
}

/* All names, as after a change of the configuration.  Who is one host with whom may hang on a lease that
 * is over by now, until something touches them. */
static void plan_anew(struct world *w, struct total *t)
{
	struct flow_store *st = &w->bridge[0].store;

	if (st->digest_put(st->ctx, 0, w->space.id, NULL) < 0)
		world_fault(w, "out of memory");
	settle(w, t);
}

/* All zones are again as they were some changes ago: what ended since goes, what came since comes
 * again. */
static void ask_restored(struct world *w, struct total *t)
{
	struct photo before, after;

	for (int i = 0; i < N_ZONES; i++)
		if (model_save(w->model, w->zones[i].id) < 0)
			world_fault(w, "out of memory");
	some_changes(w, t);
	plan_anew(w, t);
	if (!photo_take(&before, w))
		world_fault(w, "out of memory");
	for (int i = 0; i < N_ZONES; i++)
		model_restore(w->model, w->zones[i].id);
	truth_look(w->truth, w, TRUTH_AFTER_HAND);
	world_say(w, "question: all zones are restored");
	settle(w, t);
	if (!photo_take(&after, w))
		world_fault(w, "out of memory");
	photo_compare(w, &before, &after);
	photo_fini(&before);
	photo_fini(&after);
}

/* People go on, each pass sees what they did: what must come of it is known best now. */
static void ask_hands(struct world *w, struct total *t)
{
	struct flow_counts counts;

	for (int n = 0; n < HANDS_STEPS && w->fault.len == 0; n++) {
		advance(w, ROUND_S);
		for (int i = 0; i < 3; i++)
			people_event(w);
		world_lease_event(w);
		world_say(w, "question: hands %d", n);
		reconcile(w, &counts);
		t->passes++;
	}
	settle(w, t);
	if (w->fault.len == 0)
		truth_check(w->truth, w, &t->truth);
}

static void ask(struct world *w, struct total *t)
{
	ask_further(w);
	d2_claimed(w);
	send_away(w);
	if (w->fault.len == 0)
		oracle_check(w, &t->counts);
	if (w->fault.len == 0)
		truth_check(w->truth, w, &t->truth);
	/* Without transfers names that a copy brings back are not seen. */
	if (w->fault.len == 0 && !w->no_transfers)
		ask_restored(w, t);
	/* Of what another updater had written nobody can tell, once it is back, whose it was last. */
	if (w->fault.len == 0 && !w->has_d2)
		truth_check(w->truth, w, &t->truth);
	if (w->fault.len == 0 && !w->has_d2)
		ask_hands(w, t);
	set_modes(w, FEED_EMPTY);
	ask_nothing_moves(w, "all sources empty", false);
	set_modes(w, FEED_BREAKS);
	ask_nothing_moves(w, "all sources break off", false);
	model_advance(w->model, 2000000);  /* every lease is over, and nobody can confirm it */
	ask_nothing_moves(w, "all sources break off, all leases over", false);
	set_modes(w, FEED_OPEN_FAILS);
	ask_nothing_moves(w, "all sources fail, all leases over", false);
	set_modes(w, FEED_EMPTY);
	ask_nothing_moves(w, "all sources empty, all leases over", true);
}

/* ---- seeds -------------------------------------------------------------------------------- */

static void refuse_some(struct world *w)
{
	struct dname owner;

	if (rng_permille(&w->rng, 300)) {
		name_in_zone(&owner, rng_permille(&w->rng, 500) ? "mail" : "tv");
		model_refuse(w->model, &owner);
	}
	if (rng_permille(&w->rng, 200)) {
		ipaddr_reverse(&owner, &w->leases[rng_below(&w->rng, N_LEASES)].addr);
		model_refuse(w->model, &owner);
	}
}

/* What it removed nobody else will have removed. */
static void note_replay(void *arg, const struct dname *owner)
{
	world_note_removal(arg, owner);
}

static bool run_seed(const char *program, uint64_t seed, unsigned verbose, struct total *t)
{
	struct world w;
	bool ok = world_init(&w, seed, verbose);

	if (ok) {
		w.truth = truth_new(&w);
		ok = w.truth != NULL;
	}
	if (!ok)
		world_fault(&w, "out of memory");
	if (ok) {
		model_between(w.model, pass_between, &w);
		together_bind(&w);
		model_on_replay(w.model, note_replay, &w);
		w.no_transfers = seed % 8 == 0;
		w.replays = seed % 5 == 2;
		refuse_some(&w);
		live(&w, t);
		heal(&w);
		settle(&w, t);
		ask(&w, t);
		t->updates += model_updates(w.model);
		t->told += model_told(w.model);
	}
	ok = w.fault.len == 0;
	if (!ok && verbose)
		dump(&w);
	if (!ok)
		printf("seed %llu (%s%s%s%s): %s\nreplay: %s -s %llu -n 1 -v\n",
		       (unsigned long long)seed, world_company(&w), w.has_d2 ? ", D2" : "",
		       w.decides ? ", decisions" : "", w.replays ? ", replays" : "", buf_text(&w.fault), program,
		       (unsigned long long)seed);
	else if (verbose)
		printf("seed %llu: ok\n", (unsigned long long)seed);
	truth_free(w.truth);
	world_fini(&w);
	return ok;
}

int main(int argc, char **argv)
{
	uint64_t first = 1, count = 200, passed = 0;
	struct total t = {0};
	unsigned verbose = 0;
	int c;

	while ((c = getopt(argc, argv, "s:n:v")) != -1) {
		if (c == 's')
			first = strtoull(optarg, NULL, 10);
		else if (c == 'n')
			count = strtoull(optarg, NULL, 10);
		else if (c == 'v')
			verbose++;
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);  /* a failing seed is told at once */
	for (uint64_t i = 0; i < count; i++)
		passed += run_seed(argv[0], first + i, verbose, &t);
	printf("%llu passes, %llu cut short, %llu updates, %llu times only changes read; "
	       "%llu names there, %llu waived, %llu records traced; "
	       "of the model %llu hosts, %llu owners fixed, %llu open\n",
	       (unsigned long long)t.passes, (unsigned long long)t.crashes,
	       (unsigned long long)t.updates, (unsigned long long)t.told, (unsigned long long)t.counts.expected,
	       (unsigned long long)t.counts.waived, (unsigned long long)t.counts.records,
	       (unsigned long long)t.truth.hosts, (unsigned long long)t.truth.owners,
	       (unsigned long long)t.truth.open);
	printf("%llu passed, %llu failed\n", (unsigned long long)passed,
	       (unsigned long long)(count - passed));
	return passed == count ? 0 : 1;
}
