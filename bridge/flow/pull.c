/* pull.c - the reverse pass: what the server shows becomes seen, and PTR names become evidence.
 *
 * One zone is one transaction: its differences, the evidence they give, the plans they change
 * and the serial are kept together or not at all.
 */
#include <string.h>

#include "bridge/base/vec.h"
#include "bridge/flow/delta.h"
#include "bridge/flow/force.h"
#include "bridge/flow/parent.h"
#include "bridge/flow/ptr_evidence.h"
#include "bridge/flow/recall.h"
#include "bridge/flow/say.h"
#include "bridge/value/wirelen.h"

struct pull {
	struct flow *f;
	const struct policy_space *space;
	const struct policy_zone *zone;
	struct zone_row row;
	struct compare cmp;
	int64_t began_s;
	bool beside;                 /* another process has the right to send here */
	bool rollback;               /* the serial went backwards */
	bool partial;                /* compared is what changed since the serial that is kept */
	size_t skipped;              /* owners that differ and were written meanwhile */
	/* inside the transaction */
	struct planner p;
	VEC(struct ipaddr) touched;
	VEC(struct dname) freed;     /* names that a CNAME, NS, MX or SRV pointed at */
};

/* ---- owners ----------------------------------------------------------------------------- */

/* Sent or settled since the transfer began: the transfer may show the state before.  What came in
 * the same second came before, unless a process beside us sends. */
static bool in_flight(const struct pull *u, const struct belief *b)
{
	int64_t since_s = u->beside ? u->began_s : u->began_s + 1;

	return b->settled_at_s >= since_s || (b->n_offered > 0 && b->offered_at_s >= since_s);
}

/* Does the DHCID that is seen say that the name is the client's who is to have it? */
static bool is_wanted_clients(const struct belief *b)
{
	const struct rr *dhcid;

	return rrs_of(&b->seen, RR_DHCID, &dhcid) == 1 && rrs_has(&b->want, dhcid);
}

/* After a rollback what vanished is as if it had never been: added again, no fight.  What came back
 * and had been ours (recalled) is ours again.  Where another address of the client came back in its
 * place, of which nothing is known, its DHCID is left to prove that; remembered as ours, it would
 * make that address somebody's edit. */
static int roll_back(struct pull *u, struct belief *b, const struct rrs *recalled)
{
	struct rrs kept = {NULL, 0};
	bool came_back = false;
	size_t i, addresses = 0;
	int r = 0;

	for (i = 0; i < b->seen.n && r == 0; i++) {
		const struct rr *v = &b->seen.v[i];
		bool ours = rrs_has(&b->published, v) || rrs_has(recalled, v);

		came_back = came_back || (!ours && rrtype_has(v->type, RRTYPE_MANAGED));
		addresses += ours && v->type != RR_DHCID;
		if (ours)
			r = rrs_add(&kept, &u->p.arena, v->type, v->rdata, v->rdlen);
	}
	if (came_back && addresses == 0 && is_wanted_clients(b))
		kept = (struct rrs){NULL, 0};
	b->published = kept;
	return r;
}

/* Clients that were refused these names may have them now. */
static int free_targets(struct pull *u, const struct rrs *was, const struct rrs *is)
{
	struct dname target;
	size_t i;
	int r = 0;

	for (i = 0; i < was->n && r == 0; i++) {
		if (rrtype_has(was->v[i].type, RRTYPE_TARGET) && !rrs_has(is, &was->v[i]) &&
		    rr_target(&target, &was->v[i]))
			r = vec_push(&u->freed, target);
	}
	return r;
}

static int touch(struct pull *u, const struct belief *b, struct err *e)
{
	struct ipaddr a;
	size_t i;

	if (u->zone->is_reverse) {
		if (policy_ptr_addr(&a, u->zone, &b->owner) && vec_push(&u->touched, a) < 0)
			return err_nomem(e);
		return 0;
	}
	for (i = 0; i < b->want.n; i++) {
		if (rr_addr(&a, &b->want.v[i]) && vec_push(&u->touched, a) < 0)
			return err_nomem(e);
	}
	return 0;
}

/* What one chunk of differences leads to. */
struct kept {
	VEC(struct belief) v;
	struct ptr_words words;      /* of a reverse zone */
};

static int note_recalled(struct pull *u, const struct belief *was, struct belief *b, struct err *e)
{
	b->why = "a restored zone brought back what we had removed";
	return planner_note(&u->p, b, NULL, "restored", &was->seen, &b->seen, -1, b->why, e);
}

static int see(struct pull *u, struct belief *b, const struct compare_diff *d,
	       const struct rrs *recalled, struct kept *keep, struct err *e)
{
	struct planner_zone *z;
	struct belief was = *b;
	int r;

	if (in_flight(u, b)) {
		u->skipped += !rrs_equal(&b->seen, &d->seen);
		return 0;
	}
	belief_see(b, &d->seen);
	if (u->rollback && roll_back(u, b, recalled) < 0)
		return err_nomem(e);
	r = recalled->n > 0 ? note_recalled(u, &was, b, e) : 0;
	r = r < 0 ? r : planner_zone(&z, &u->p, u->zone, e);
	r = r < 0 ? r : planner_judge(&u->p, &u->p.arena, b, &was, z, NULL, e);
	/* What else it came to is said when its addresses are planned. */
	if (r == 0 && b->state == BELIEF_FROZEN)
		r = planner_note_state(&u->p, &was, b, e);
	if (r == 0 && u->zone->is_reverse)
		r = ptr_word(&keep->words, &was, b, u->rollback, e);
	r = r < 0 ? r : touch(u, b, e);
	if (r == 0 && (free_targets(u, &was.seen, &b->seen) < 0 || vec_push(&keep->v, *b) < 0))
		r = err_nomem(e);
	return r;
}

static int open_words(struct pull *u, struct kept *keep, struct compare_diff **d, size_t n,
		      struct err *e)
{
	struct ipaddr *addrs = arena_array(&u->p.arena, n, sizeof(*addrs));
	size_t i, k = 0;

	if (addrs == NULL)
		return err_nomem(e);
	for (i = 0; i < n && u->zone->is_reverse; i++)
		k += policy_ptr_addr(&addrs[k], u->zone, &d[i]->owner);
	return ptr_words_open(&keep->words, &u->p, u->zone, addrs, k, e);
}

/* (*out)[i]: what the zone brought back at b[i] and had been ours; nothing unless it was restored. */
static int recall(struct pull *u, struct rrs **out, const struct belief *b,
		  struct compare_diff **d, size_t n, struct err *e)
{
	*out = arena_array(&u->p.arena, n, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	return u->rollback ? recall_ours(*out, &u->p, b, d, n, e) : 0;
}

static int see_chunk(struct pull *u, struct compare_diff **d, size_t n, struct err *e)
{
	struct flow_store *st = u->f->store;
	struct zone_key *keys = arena_array(&u->p.arena, n, sizeof(*keys));
	struct kept keep = {.words = {.p = &u->p}};
	struct rrs *recalled;
	struct belief *b;
	size_t i;
	int r;

	if (keys == NULL)
		return err_nomem(e);
	for (i = 0; i < n; i++) {
		keys[i].zone_id = u->zone->id;
		keys[i].owner = d[i]->owner;
	}
	r = planner_beliefs(&u->p, &b, &u->p.arena, keys, n, e);
	r = r < 0 ? r : recall(u, &recalled, b, d, n, e);
	r = r < 0 ? r : open_words(u, &keep, d, n, e);
	for (i = 0; r == 0 && i < n; i++)
		r = see(u, &b[i], d[i], &recalled[i], &keep, e);
	if (r == 0 && keep.v.n > 0)
		r = st->beliefs_put(st->ctx, keep.v.v, keep.v.n, e);
	r = r < 0 ? r : ptr_words_keep(&keep.words, e);
	u->f->counts.pulled += keep.v.n;
	vec_fini(&keep.v);
	ptr_words_fini(&keep.words);
	return r;
}

static int see_all(struct pull *u, struct err *e)
{
	struct compare_diff *chunk[PLANNER_CHUNK], *d;
	size_t i = 0, n = 0;
	int r = 0;

	while (r == 0 && (d = map_next(&u->cmp.diffs, &i)) != NULL) {
		chunk[n++] = d;
		if (n == PLANNER_CHUNK) {
			r = see_chunk(u, chunk, n, e);
			n = 0;
		}
	}
	return r == 0 && n > 0 ? see_chunk(u, chunk, n, e) : r;
}

/* ---- the transaction -------------------------------------------------------------------- */

static int plan_touched(struct pull *u, struct err *e)
{
	size_t i, n;
	int r = 0;

	addrs_unique(u->touched.v, &u->touched.n);
	for (i = 0; i < u->touched.n && r == 0; i += n) {
		n = u->touched.n - i < PLANNER_CHUNK ? u->touched.n - i : PLANNER_CHUNK;
		r = planner_addresses(&u->p, u->touched.v + i, n, e);
	}
	return r;
}

/* ---- removals that nobody made ------------------------------------------------------------ */

/* Noticed since the last look, by an update that was refused. */
static int forgive(struct pull *u, struct belief *b, struct err *e)
{
	static const struct rrs none = {NULL, 0};
	struct planner_zone *z;
	int r = planner_zone(&z, &u->p, u->zone, e);

	if (r < 0)
		return r;
	if (roll_back(u, b, &none) < 0)
		return err_nomem(e);
	b->reverts -= b->reverts > 0;
	b->removed_at_s = 0;
	r = planner_judge(&u->p, &u->p.arena, b, NULL, z, NULL, e);
	return r < 0 ? r : touch(u, b, e);
}

/* What vanished with a rollback may have been missed before that was seen: it shows no difference
 * any more. */
static int forgive_all(struct pull *u, enum belief_state state, struct err *e)
{
	struct flow_store *st = u->f->store;
	const struct dname *after = NULL;
	VEC(struct belief) put = {0};
	struct belief *b;
	size_t n = PLANNER_CHUNK, i;
	int r = 0;

	while (r == 0 && n == PLANNER_CHUNK) {
		r = st->beliefs_stopped(st->ctx, &b, &n, u->zone->id, state, after, PLANNER_CHUNK,
					&u->p.arena, e);
		for (i = 0; r == 0 && i < n; i++) {
			after = &b[i].owner;
			if (b[i].removed_at_s == 0 || b[i].removed_at_s < u->row.pulled_at_s)
				continue;
			r = forgive(u, &b[i], e);
			if (r == 0 && vec_push(&put, b[i]) < 0)
				r = err_nomem(e);
		}
	}
	if (r == 0 && put.n > 0)
		r = st->beliefs_put(st->ctx, put.v, put.n, e);
	vec_fini(&put);
	return r;
}

/* Now that the zone is known, PTRs that waited for its names may go. */
static int wake_waiting(struct pull *u, struct err *e)
{
	struct flow_store *st = u->f->store;
	struct due_page page = {.zone_id = u->zone->id, .n = PLANNER_CHUNK};
	size_t i;
	int r = 0;

	while (r == 0 && page.n == PLANNER_CHUNK && !u->zone->is_reverse) {
		r = st->beliefs_due(st->ctx, &page, 1, INT64_MAX, PLANNER_CHUNK, &u->p.arena, e);
		for (i = 0; r == 0 && i < page.n; i++)
			r = touch(u, &page.v[i], e);
		page.after = r == 0 && page.n > 0 ? &page.v[page.n - 1] : NULL;
	}
	return r;
}

static int touch_freed(struct pull *u, struct err *e)
{
	struct flow_store *st = u->f->store;
	struct ipaddr *v;
	size_t n, i;
	int r;

	if (u->freed.n == 0)
		return 0;
	r = st->hosts_waiting(st->ctx, &v, &n, u->space->id, u->freed.v, u->freed.n, &u->p.arena, e);
	for (i = 0; r == 0 && i < n; i++)
		r = vec_push(&u->touched, v[i]) < 0 ? err_nomem(e) : 0;
	return r;
}

static int keep_inside(void *arg, struct err *e)
{
	struct pull *u = arg;
	struct flow_store *st = u->f->store;
	bool first = !u->row.known;
	int r;

	r = st->lock_space(st->ctx, u->space->id, e);
	/* The zone counts as known from its first transfer on, for every owner judged here. */
	if (r == 0 && first) {
		u->row.known = true;
		r = st->zone_put(st->ctx, &u->row, e);
	}
	r = r < 0 ? r : see_all(u, e);
	if (r == 0 && u->rollback)
		r = forgive_all(u, BELIEF_WAITS, e);
	if (r == 0 && u->rollback)
		r = forgive_all(u, BELIEF_FROZEN, e);
	planner_forget_zones(&u->p);
	if (r == 0 && first)
		r = wake_waiting(u, e);
	r = r < 0 ? r : touch_freed(u, e);
	r = r < 0 ? r : plan_touched(u, e);
	if (r < 0)
		return r;
	u->row.pulled_at_s = u->began_s;
	/* Where owners were left out the next look begins from the serial before. */
	if (u->skipped == 0) {
		u->row.serial = u->cmp.serial;
		u->row.read_at_s = u->began_s;
		u->row.full_at_s = u->partial ? u->row.full_at_s : u->began_s;
	}
	u->row.last_error = NULL;
	r = st->zone_put(st->ctx, &u->row, e);
	if (r == 0 && u->rollback && u->skipped == 0)
		r = st->zone_sent(st->ctx, u->zone->id, u->row.serial, true, e);
	return r;
}

static int keep_result(struct pull *u, struct err *e)
{
	int r = planner_transaction(&u->p, u->f, u->space, keep_inside, u, e);

	vec_fini(&u->touched);
	vec_fini(&u->freed);
	if (r == 0 && u->cmp.diffs.n > 0)
		flow_say(u->f, MSG_PULL_DONE, u->zone->text,
			 "pull, done (serial %u%s, %zu names differed)", u->cmp.serial,
			 u->partial ? ", what changed" : "", u->cmp.diffs.n);
	return r;
}

static int row_inside(void *arg, struct err *e)
{
	struct pull *u = arg;
	struct flow_store *st = u->f->store;

	return st->zone_put(st->ctx, &u->row, e);
}

static int keep_row(struct pull *u, struct err *e)
{
	return planner_transaction(&u->p, u->f, u->space, row_inside, u, e);
}

/* ---- one zone --------------------------------------------------------------------------- */

static int failed(struct pull *u, const struct err *cause, struct err *e)
{
	flow_say(u->f, MSG_PULL_FAILED, u->zone->text, "pull, failed (%s)%s%s", cause->text,
		 cause->hint[0] != '\0' ? "; hint: " : "", cause->hint);
	u->f->counts.pending++;
	flow_note_failure(u->f, u->zone, cause->code);
	u->row.last_error = cause->text;
	return keep_row(u, e);
}

/* The newest serial that the server ever showed us, after changes of ours too. */
static uint32_t newest(const struct zone_row *row)
{
	return row->sent_known && serial_newer(row->serial, row->sent_serial) ? row->sent_serial
									      : row->serial;
}

static bool is_older(const struct pull *u, uint32_t serial)
{
	uint32_t known = newest(&u->row);

	return u->row.known && serial != known && !serial_newer(known, serial);
}

static bool is_full_due(const struct pull *u)
{
	return u->began_s >= u->row.full_at_s + u->f->full_every_s;
}

static bool is_current(const struct pull *u, uint32_t serial)
{
	return u->row.known && serial == u->row.serial && !is_full_due(u) && !is_older(u, serial);
}

/* Of several servers one may lag behind the other: that is no restored zone. */
static int behind(const struct pull *u, uint32_t serial, struct err *cause)
{
	if (u->zone->n_servers < 2 || !is_older(u, serial))
		return 0;
	err_set(cause, ERR_PROTO, "server shows serial %u, an earlier look showed %u", serial,
		newest(&u->row));
	err_hint(cause, "is this server behind the others of the zone, or was the zone restored?");
	return ERR_PROTO;
}

/* What changed, where that is known to be all. */
static int compare_changes(struct pull *u, bool *stored, struct err *e)
{
	const char *why;
	int r;

	if (u->rollback || !u->row.known || is_full_due(u))
		return NET_WHOLE;
	r = delta_run(&u->cmp, &u->row, &why, stored, e);
	if (r == NET_WHOLE) {
		flow_say(u->f, MSG_PULL_WHOLE, u->zone->text,
			 "pull, all of it is read: %s (since serial %u)", why, u->row.serial);
		compare_fini(&u->cmp);
		compare_init(&u->cmp, u->f, u->zone);
	}
	return r;
}

static int compare(struct pull *u, bool *stored, struct err *e)
{
	int r = compare_changes(u, stored, e);

	u->partial = r != NET_WHOLE;
	return u->partial ? r : compare_run(&u->cmp, stored, e);
}

static int transfer(struct pull *u, struct err *e)
{
	struct err cause = {0};
	bool stored = true;
	int r;

	compare_init(&u->cmp, u->f, u->zone);
	r = compare(u, &stored, &cause);
	if (r == 0)
		r = keep_result(u, e);
	else if (stored)
		r = failed(u, &cause, e);
	else if (e != NULL)
		*e = cause;
	compare_fini(&u->cmp);
	return r;
}

/* The serial is another than the last time, or it is time for a full comparison. */
static int look_at_all(struct pull *u, uint32_t serial, struct err *e)
{
	struct err cause = {0};

	if (behind(u, serial, &cause) < 0)
		return failed(u, &cause, e);
	u->rollback = is_older(u, serial);
	if (u->rollback)
		flow_say(u->f, MSG_ZONE_RESTORED, u->zone->text,
			 "serial went back from %u to %u: the zone was restored, "
			 "what is ours is written again, what we had removed goes again",
			 newest(&u->row), serial);
	return transfer(u, e);
}

static int look(struct pull *u, struct err *e)
{
	struct flow_net *net = u->f->net;
	struct err cause = {0};
	uint32_t serial;

	/* One line is enough, and one wait. */
	if (flow_is_silent(u->f, u->zone)) {
		u->f->counts.pending++;
		u->row.last_error = "its server did not answer in time";
		return keep_row(u, e);
	}
	u->began_s = net->now_s(net->ctx);
	if (net->soa(net->ctx, u->zone, &serial, &cause) < 0)
		return failed(u, &cause, e);
	if (!is_current(u, serial))
		return look_at_all(u, serial, e);
	u->row.pulled_at_s = u->began_s;
	u->row.last_error = NULL;
	return keep_row(u, e);
}

static int is_beside(struct pull *u, struct err *e)
{
	struct flow_store *st = u->f->store;
	bool mine = true;
	uint64_t since;
	int r = 0;

	if (!u->f->only_looks && !u->f->dry_run)
		r = st->zone_lock(st->ctx, u->zone->id, &mine, &since, e);
	u->beside = u->f->only_looks || !mine;
	return r;
}

static int pull_zone(struct flow *f, const struct policy_space *space,
		     const struct policy_zone *zone, struct err *e)
{
	struct pull u = {.f = f, .space = space, .zone = zone};
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	bool ask_above;
	int r = st->zone_get(st->ctx, &u.row, &a, zone->id, e);

	r = r < 0 ? r : is_beside(&u, e);
	ask_above = r == 0 && parent_is_due(f, zone, &u.row);
	r = r < 0 ? r : look(&u, e);
	if (r == 0 && ask_above)
		parent_look(f, zone);
	arena_fini(&a);
	if (r == 0 && f->force != NULL && zone->is_reverse)
		r = force_edits(f, space, zone, e);
	return r;
}

/* ---- all zones -------------------------------------------------------------------------- */

/* A pull of many zones, or of one. */
struct round {
	struct flow *f;
	const struct policy_zone *only;  /* NULL: all */
	struct arena arena;
	const struct policy_zone **zones;
	const struct policy_space **spaces;
	struct net_serial *shown;
	struct zone_look *looks;         /* in the order of zones; those whose serial is known */
	size_t n, n_looks;
};

static size_t zones_at_most(const struct flow *f)
{
	size_t n = 0, i;

	for (i = 0; i < f->policy->n_spaces; i++)
		n += f->policy->spaces[i].n_zones;
	return n;
}

static int list_zones(struct round *u, struct err *e)
{
	const struct policy *p = u->f->policy;
	size_t most = zones_at_most(u->f) + 1, i, j;

	u->zones = arena_array(&u->arena, most, sizeof(*u->zones));
	u->spaces = arena_array(&u->arena, most, sizeof(*u->spaces));
	u->shown = arena_array(&u->arena, most, sizeof(*u->shown));
	u->looks = arena_array(&u->arena, most, sizeof(*u->looks));
	if (u->zones == NULL || u->spaces == NULL || u->shown == NULL || u->looks == NULL)
		return err_nomem(e);
	for (i = 0; i < p->n_spaces; i++) {
		for (j = 0; j < p->spaces[i].n_zones; j++) {
			if (u->only != NULL && u->only != &p->spaces[i].zones[j])
				continue;
			u->zones[u->n] = &p->spaces[i].zones[j];
			u->spaces[u->n++] = &p->spaces[i];
		}
	}
	return 0;
}

/* Zones whose serial is the one that is kept need no more than that; most do.  They are asked for
 * and kept together. */
static int look_at_serials(struct round *u, struct err *e)
{
	struct flow_net *net = u->f->net;
	struct flow_store *st = u->f->store;
	int64_t began_s = net->now_s(net->ctx);
	size_t i;

	/* What is forced is looked at again. */
	if (u->f->force != NULL)
		return 0;
	net->serials(net->ctx, u->zones, u->n, u->shown);
	for (i = 0; i < u->n; i++) {
		if (u->shown[i].known)
			u->looks[u->n_looks++] = (struct zone_look){.id = u->zones[i]->id,
								    .serial = u->shown[i].serial};
	}
	if (u->n_looks == 0)
		return 0;
	return st->zones_looked(st->ctx, u->looks, u->n_looks, began_s,
				began_s - u->f->full_every_s, e);
}

static int pull_others(struct round *u, struct err *e)
{
	size_t i, k = 0;
	int r = 0;

	for (i = 0; i < u->n && r == 0; i++) {
		bool looked = k < u->n_looks && u->looks[k].id == u->zones[i]->id;

		if (looked && u->looks[k++].current)
			continue;
		if (flow_out_of_time(u->f, u->zones[i]->text))
			return 0;
		r = pull_zone(u->f, u->spaces[i], u->zones[i], e);
	}
	return r;
}

int flow_pull(struct flow *f, const struct policy_zone *only, struct err *e)
{
	struct round u = {.f = f, .only = only, .arena = ARENA_INIT};
	int r = list_zones(&u, e);

	f->pulled = f->pulled || only == NULL;
	r = r < 0 ? r : look_at_serials(&u, e);
	r = r < 0 ? r : pull_others(&u, e);
	arena_fini(&u.arena);
	return r;
}
