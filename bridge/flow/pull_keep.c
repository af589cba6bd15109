/* pull_keep.c - what a look at a zone found becomes seen, and PTR names become evidence: kept in one
 * transaction with the plans that it changes and the serial, or not at all.
 */
#include <string.h>

#include "bridge/flow/ptr_evidence.h"
#include "bridge/flow/pull.h"
#include "bridge/flow/recall.h"
#include "bridge/flow/say.h"
#include "bridge/value/wirelen.h"

/* ---- owners ----------------------------------------------------------------------------- */

/* Sent or settled since the transfer began: the transfer may show the state before.  What came in
 * the same second came before, unless a process beside us sends. */
static bool in_flight(const struct pull *u, const struct belief *b)
{
	int64_t since_s = u->beside ? u->began_s : u->began_s + 1;
	bool flies = b->settled_at_s >= since_s;
	int i;

	for (i = 0; i < b->n_offered; i++)
		flies = flies || b->offered_at_s[i] >= since_s;
	return flies && !u->unsent;
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

static bool is_cut(const struct rrs *seen)
{
	const struct rr *v;

	return rrs_of(seen, RR_NS, &v) + rrs_of(seen, RR_DNAME, &v) > 0;
}

/* What it was seen to forbid may be allowed now. */
static int free_names(struct pull *u, const struct belief *b, const struct rrs *was)
{
	if (is_cut(was) && !is_cut(&b->seen) && vec_push(&u->opened, b->owner) < 0)
		return ERR_NOMEM;
	return free_targets(u, was, &b->seen);
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

	/* Also what we have removed since: nothing but the journal knows of it. */
	if (in_flight(u, b) || (!u->rollback && recalled->n > 0)) {
		u->skipped += !rrs_equal(&b->seen, &d->seen);
		return 0;
	}
	u->news += !rrs_equal(was.seen_known ? &was.seen : &was.published, &d->seen);
	if (belief_see(b, &u->p.arena, &d->seen) < 0 ||
	    (u->rollback && belief_roll_back(b, &u->p.arena, recalled) < 0))
		return err_nomem(e);
	r = recalled->n > 0 ? note_recalled(u, &was, b, e) : 0;
	r = r < 0 ? r : planner_zone(&z, &u->p, u->zone, e);
	r = r < 0 ? r : planner_judge(&u->p, &u->p.arena, b, &was, z, NULL, e);
	/* What else it came to is said when its addresses are planned. */
	if (r == 0 && b->state == BELIEF_FROZEN)
		r = planner_note_state(&u->p, &was, b, e);
	/* What stands as it stood was heard before: owners are asked about that have not changed. */
	if (r == 0 && u->zone->is_reverse && (!was.seen_known || !rrs_equal(&was.seen, &b->seen)))
		r = ptr_word(&keep->words, &was, b, u->rollback, e);
	r = r < 0 ? r : touch(u, b, e);
	if (r == 0 && (free_names(u, b, &was.seen) < 0 || vec_push(&keep->v, *b) < 0))
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

/* (*out)[i]: what was shown at b[i] and we had removed, before the zone was restored or since the
 * look; nothing unless there was the one or the other. */
static int recall(struct pull *u, struct rrs **out, const struct belief *b,
		  struct compare_diff **d, size_t n, struct err *e)
{
	*out = arena_array(&u->p.arena, n, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	return u->rollback || u->before_ours ? recall_ours(*out, &u->p, b, d, n, e) : 0;
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
	if (belief_roll_back(b, &u->p.arena, &none) < 0)
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

static bool is_below_opened(const struct pull *u, const struct dname *owner)
{
	size_t i;

	for (i = 0; i < u->opened.n; i++) {
		if (dname_under(owner, &u->opened.v[i]))
			return true;
	}
	return false;
}

/* Conflicts below cuts that are none any more. */
static int touch_opened(struct pull *u, struct err *e)
{
	struct flow_store *st = u->f->store;
	const struct dname *after = NULL;
	struct belief *b;
	size_t n = u->opened.n > 0 ? PLANNER_CHUNK : 0, i;
	int r = 0;

	while (r == 0 && n == PLANNER_CHUNK) {
		r = st->beliefs_stopped(st->ctx, &b, &n, u->zone->id, BELIEF_CONFLICT, after,
					PLANNER_CHUNK, &u->p.arena, e);
		for (i = 0; r == 0 && i < n; i++) {
			if (is_below_opened(u, &b[i].owner))
				r = touch(u, &b[i], e);
		}
		after = r == 0 && n > 0 ? &b[n - 1].owner : NULL;
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

/* What the differences let be, or took away, is planned. */
static int plan_news(struct pull *u, struct err *e)
{
	int r = touch_freed(u, e);

	r = r < 0 ? r : touch_opened(u, e);
	return r < 0 ? r : plan_touched(u, e);
}

/* The zone counts as known from its first transfer on, for every owner judged here.  Where that is
 * over, what was known still counts here. */
static int begin_row(struct pull *u, struct err *e)
{
	struct flow_store *st = u->f->store;

	if (u->row.asked == u->asking && u->row.known == !u->asking)
		return 0;
	u->row.known = u->row.known || !u->asking;
	u->row.asked = u->asking;
	return st->zone_put(st->ctx, &u->row, e);
}

static int end_row(struct pull *u, struct err *e)
{
	struct flow_store *st = u->f->store;

	u->row.pulled_at_s = u->began_s;
	/* Where owners were left out the next look begins from the serial before. */
	if (u->skipped == 0 && u->asked.unanswered == 0) {
		u->row.serial = u->cmp.serial;
		u->row.read_at_s = u->began_s;
		u->row.full_at_s = u->partial ? u->row.full_at_s : u->began_s;
		u->row.restored = false;
	}
	u->row.known = !u->asking;
	u->row.last_error = NULL;
	return st->zone_put(st->ctx, &u->row, e);
}

/* Has another process kept a look meanwhile that is newer than ours, or of a zone that was restored?
 * What we saw is not so any more: taken for news, it would undo and redo, and count as somebody's
 * fight. */
static int overtaken(struct pull *u, struct err *e)
{
	struct flow_store *st = u->f->store;
	struct zone_row now;
	int r = st->zone_get(st->ctx, &now, &u->p.arena, u->zone->id, e);

	if (r < 0)
		return r;
	u->before_ours = now.sent_known && serial_newer(u->cmp.serial, now.sent_serial);
	u->overtaken = now.restored != u->row.restored;
	if (now.serial != u->row.serial)
		u->overtaken |= u->rollback || serial_newer(u->cmp.serial, now.serial) ||
				serial_newer(now.serial, u->row.serial);
	return 0;
}

static int keep_inside(void *arg, struct err *e)
{
	struct pull *u = arg;
	struct flow_store *st = u->f->store;
	bool first = !u->row.known && !u->asking;
	int r;

	r = st->lock_space(st->ctx, u->space->id, e);
	r = r < 0 ? r : overtaken(u, e);
	if (r < 0 || u->overtaken)
		return r;
	r = begin_row(u, e);
	r = r < 0 ? r : see_all(u, e);
	if (r == 0 && u->rollback)
		r = forgive_all(u, BELIEF_WAITS, e);
	if (r == 0 && u->rollback)
		r = forgive_all(u, BELIEF_FROZEN, e);
	planner_forget_zones(&u->p);
	if (r == 0 && first)
		r = wake_waiting(u, e);
	r = r < 0 ? r : plan_news(u, e);
	r = r < 0 ? r : end_row(u, e);
	if (r == 0 && u->rollback && u->skipped == 0)
		r = st->zone_sent(st->ctx, u->zone->id, u->row.serial, true, e);
	return r;
}

static int keep_by(struct pull *u, int (*inside)(void *arg, struct err *e), struct err *e)
{
	int r = planner_transaction(&u->p, u->f, u->space, inside, u, e);

	vec_fini(&u->touched);
	vec_fini(&u->freed);
	vec_fini(&u->opened);
	return r;
}

int pull_keep(struct pull *u, struct err *e)
{
	int r = keep_by(u, keep_inside, e);

	if (r == 0)
		u->f->counts.pulled += u->news;
	u->f->left_out = u->f->left_out || u->skipped > 0;
	if (r == 0 && u->news > 0)
		flow_say(u->f, MSG_PULL_DONE, u->zone->text,
			 "pull, done (serial %u%s, %zu names differed)", u->cmp.serial,
			 u->partial ? ", what changed" : u->asking ? ", by queries" : "", u->news);
	return r;
}

/* Of the row as it is now: another process may have kept a look at the zone meanwhile. */
static int row_inside(void *arg, struct err *e)
{
	struct pull *u = arg;
	struct flow_store *st = u->f->store;
	struct zone_row row;
	int r = st->lock_space(st->ctx, u->space->id, e);

	r = r < 0 ? r : st->zone_get(st->ctx, &row, &u->p.arena, u->zone->id, e);
	if (r < 0)
		return r;
	row.last_error = u->row.last_error;
	row.restored = row.restored || u->row.restored;
	if (row.pulled_at_s < u->row.pulled_at_s)
		row.pulled_at_s = u->row.pulled_at_s;
	return st->zone_put(st->ctx, &row, e);
}

int pull_keep_row(struct pull *u, struct err *e)
{
	return planner_transaction(&u->p, u->f, u->space, row_inside, u, e);
}

static int keep_some_inside(void *arg, struct err *e)
{
	struct pull *u = arg;
	struct flow_store *st = u->f->store;
	int r = st->lock_space(st->ctx, u->space->id, e);

	r = r < 0 ? r : see_all(u, e);
	planner_forget_zones(&u->p);
	return r < 0 ? r : plan_news(u, e);
}

int pull_keep_some(struct pull *u, struct err *e)
{
	return keep_by(u, keep_some_inside, e);
}
