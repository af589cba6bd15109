/* push_settle.c - what an answer means for each owner of its message. */
#include <stdlib.h>
#include <string.h>

#include "bridge/core/plan.h"
#include "bridge/core/push_state.h"
#include "bridge/flow/ptr_evidence.h"
#include "bridge/flow/push_settle.h"
#include "bridge/flow/say.h"

enum { PUSH_AT_ODDS_MAX = 5 };

struct settling {
	struct flow *f;
	struct planner p;
	struct push_msg **done;      /* of one space */
	size_t n_done;
	size_t n_left;               /* items that the short way left */
	struct push_again *again;
	VEC(struct belief) put;
	VEC(struct ipaddr) touched;
	struct buf why;
};

/* ---- before the transaction: look ------------------------------------------------------- */

static bool wants_look(const struct push_msg *m)
{
	enum outcome o = outcome_of(&m->answer)->outcome;

	if (m->ask)
		return !m->zone->stopped;
	return o == OUTCOME_REREAD || o == OUTCOME_UNKNOWN;
}

static void read_back(struct flow *f, struct push_msg *m)
{
	struct net_look *v = arena_array(&m->round->arena, m->n + 1, sizeof(*v));
	struct flow_net *net = f->net;
	struct err cause = {0};
	size_t i;

	m->looked_s = net->now_s(net->ctx);
	for (i = 0; i < m->n && v != NULL; i++)
		v[i].owner = &m->items[i]->b->owner;
	/* What cannot be asked now is tried again later. */
	if (v != NULL)
		net->query(net->ctx, m->zone->zone, v, m->n, &m->round->arena, &cause);
	for (i = 0; i < m->n; i++) {
		m->items[i]->got = v != NULL && v[i].got;
		m->items[i]->seen = m->items[i]->got ? v[i].seen : (struct rrs){NULL, 0};
	}
}

/* The serial that the journal will show: asked once for all messages of a zone. */
static void ask_serial(struct flow *f, struct push_zone *z)
{
	struct flow_net *net = f->net;

	if (z->serial == 0 && net->soa(net->ctx, z->zone, &z->serial, NULL) < 0)
		z->serial = 0;
}

static void look(struct flow *f, struct push_msg **done, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		done[i]->zone->serial = 0;
		if (wants_look(done[i]))
			read_back(f, done[i]);
	}
	for (i = 0; i < n; i++) {
		if (outcome_of(&done[i]->answer)->outcome == OUTCOME_DONE)
			ask_serial(f, done[i]->zone);
	}
}

/* ---- one owner -------------------------------------------------------------------------- */

static int touch(struct settling *s, const struct belief *b, struct err *e)
{
	struct ipaddr a;
	size_t i;

	for (i = 0; i < b->want.n; i++) {
		if (rr_addr(&a, &b->want.v[i]) && vec_push(&s->touched, a) < 0)
			return err_nomem(e);
	}
	return 0;
}

/* As the zone's row is now: a look of another process may have made it known, or no longer known. */
static int zone_now(struct planner_zone **out, struct settling *s, struct push_msg *m,
		    struct err *e)
{
	int r = planner_zone(out, &s->p, m->zone->zone, e);

	if (r == 0)
		m->zone->known = (*out)->row.known;
	return r;
}

/* Of a zone that was restored and is not read yet, what the owner lacks was removed by nobody. */
static int see(struct settling *s, struct push_msg *m, struct belief *b, const struct rrs *seen,
	       struct err *e)
{
	static const struct rrs none = {NULL, 0};
	struct planner_zone *z;
	int r = zone_now(&z, s, m, e);

	if (r < 0)
		return r;
	if (belief_see(b, &s->p.arena, seen) < 0 ||
	    (z->row.restored && belief_roll_back(b, &s->p.arena, &none) < 0))
		return err_nomem(e);
	return 0;
}

static int judge(struct settling *s, struct push_msg *m, struct belief *b, struct err *e)
{
	struct planner_zone *z;
	int r = zone_now(&z, s, m, e);

	return r < 0 ? r : planner_judge(&s->p, &s->p.arena, b, NULL, z, NULL, e);
}

static const char *sentence(struct settling *s, const struct push_msg *m,
			    const struct outcome_row *row)
{
	buf_reset(&s->why);
	buf_str(&s->why, row->what);
	if (m->answer.detail != NULL)
		buf_printf(&s->why, " (%s)", m->answer.detail);
	if (row->cause[0] != '\0')
		buf_printf(&s->why, "; likely: %s; next: %s", row->cause, row->next);
	if (row->outcome == OUTCOME_DONE && m->zone->serial != 0)
		buf_printf(&s->why, ", serial %u", m->zone->serial);
	return arena_strdup(&m->round->arena, buf_text(&s->why));
}

static int explain(struct settling *s, struct err *e)
{
	size_t i;

	for (i = 0; i < s->n_done; i++) {
		struct push_msg *m = s->done[i];
		const struct outcome_row *row = outcome_of(&m->answer);

		m->why = m->ask ? "read back: too many changes had no answer" : sentence(s, m, row);
		if (m->why == NULL)
			return err_nomem(e);
		if (row->outcome != OUTCOME_PARK && m->answer.end == ANSWER_REPLY)
			m->zone->answered = true;
	}
	return 0;
}

static int note(struct settling *s, const struct push_msg *m, const struct push_item *it,
		const struct belief *b, const char *event, const char *why, struct err *e)
{
	int rcode = m->answer.end == ANSWER_REPLY ? m->answer.rcode : -1;

	return planner_note(&s->p, b, NULL, event, &it->v.base, &it->v.target, rcode, why, e);
}

/* A PTR waits for what its forward name becomes; one that does not stand may have stood when its PTR
 * was planned, before what was sent counted as offered. */
static bool moves_ptr(const struct push_msg *m, const struct push_item *it,
		      const struct belief *b)
{
	if (m->zone->zone->is_reverse)
		return false;
	return !m->zone->known || it->retried || !it->stood || !plan_forward_stands(b) ||
	       !plan_forward_stands(it->b);
}

static int finish(struct settling *s, struct push_msg *m, const struct push_item *it,
		  struct belief *b, const char *event, const char *why, struct err *e)
{
	int r = 0;

	if (it->retried && b->state != BELIEF_REFUSED && m->zone->retry == PUSH_RETRY_IF_TAKEN)
		m->zone->retry = PUSH_RETRY;
	if (moves_ptr(m, it, b))
		r = touch(s, b, e);
	if (r == 0 && vec_push(&s->put, *b) < 0)
		return err_nomem(e);
	return r < 0 ? r : note(s, m, it, b, event, why, e);
}

/* Has somebody looked at the owner since it was sent, and seen the change done? */
static bool was_seen_done(const struct push_item *it, const struct belief *b)
{
	const struct rrs *base = &it->v.base, *target = &it->v.target;
	size_t i;

	if (!b->seen_known || rrs_equal(&b->seen, &it->b->seen) || !rrs_within(target, &b->seen))
		return false;
	for (i = 0; i < base->n; i++) {
		if (!rrs_has(target, &base->v[i]) && rrs_has(&b->seen, &base->v[i]))
			return false;
	}
	return true;
}

/* The row as it is once the change is proven.  What is seen beside it came later, and stays. */
static int prove(struct settling *s, struct push_msg *m, struct push_item *it, struct belief *b,
		 struct err *e)
{
	struct rrs seen = b->seen;
	bool seen_done = was_seen_done(it, b);
	struct planner_zone *z;
	int r = zone_now(&z, s, m, e);

	if (r < 0)
		return r;
	if (push_done(b, &s->p.arena, &it->v, it->fresh, s->p.now_s) < 0)
		return err_nomem(e);
	if (seen_done)
		b->seen = seen;
	if (!m->zone->known)
		b->seen_known = true;
	return judge(s, m, b, e);
}

/* What a transfer would have told of this PTR. */
static int see_ptr(struct settling *s, const struct push_msg *m, const struct belief *was,
		   const struct belief *is, struct err *e)
{
	struct ptr_words w;
	struct ipaddr a;
	int r;

	if (!policy_ptr_addr(&a, m->zone->zone, &is->owner))
		return 0;
	if (vec_push(&s->touched, a) < 0)
		return err_nomem(e);
	r = ptr_words_open(&w, &s->p, m->zone->zone, &a, 1, e);
	r = r < 0 ? r : ptr_word(&w, was, is, false, e);
	r = r < 0 ? r : ptr_words_keep(&w, e);
	ptr_words_fini(&w);
	return r;
}

/* A PTR that was not ours is gone: what it said of the address goes with it. */
static bool took_ptr(const struct push_item *it)
{
	const struct rr *v;
	size_t n = rrs_of(&it->v.base, RR_PTR, &v), i;

	for (i = 0; i < n; i++) {
		if (!rrs_has(&it->v.published, &v[i]) && !rrs_has(&it->v.target, &v[i]))
			return true;
	}
	return false;
}

static int done(struct settling *s, struct push_msg *m, struct push_item *it, struct belief *b,
		const char *why, struct err *e)
{
	struct belief was = *b;
	int r = prove(s, m, it, b, e);

	if (r == 0 && took_ptr(it))
		r = see_ptr(s, m, &was, b, e);
	if (r < 0)
		return r;
	s->f->counts.changed += change_rrsets(&it->c);
	return finish(s, m, it, b, "done", why, e);
}

static int later(struct settling *s, struct push_msg *m, struct push_item *it, struct belief *b,
		 bool withdraw, const char *why, struct err *e)
{
	struct flow_net *net = s->f->net;

	if (withdraw && it->fresh)
		push_withdraw(b, &it->v);
	/* Behind a gate an owner keeps its place. */
	if (!m->zone->failed || m->zone->gate == NULL)
		push_retry(b, s->p.now_s, net->random(net->ctx));
	return finish(s, m, it, b, "retry", why, e);
}

/* One owner that the server fails on; one line a zone. */
static int failing(struct settling *s, struct push_msg *m, struct push_item *it,
		   struct belief *b, const char *why, struct err *e)
{
	char owner[DNAME_TEXT];

	if (!m->zone->told)
		flow_say(s->f, MSG_UPDATE_FAILED, m->zone->zone->text, "update of %s, %s",
			 dname_print(owner, &b->owner), why);
	m->zone->told = true;
	return later(s, m, it, b, true, why, e);
}

static int refused(struct settling *s, struct push_msg *m, struct push_item *it,
		   struct belief *b, const char *why, struct err *e)
{
	char owner[DNAME_TEXT];

	if (it->fresh)
		push_withdraw(b, &it->v);
	/* The same answer as before is no news. */
	if (b->state == BELIEF_REFUSED && strcmp(b->why, why) == 0)
		return vec_push(&s->put, *b) < 0 ? err_nomem(e) : 0;
	push_refused(b, why);
	s->f->counts.refused++;
	flow_say(s->f, MSG_UPDATE_REFUSED, m->zone->zone->text, "update of %s, %s",
		 dname_print(owner, &b->owner), why);
	return finish(s, m, it, b, "refused", why, e);
}

/* Was it read back, and by nobody else meanwhile?  Whose look was the later one cannot be told. */
static bool was_read(const struct push_item *it, const struct belief *b)
{
	bool same = b->seen_known == it->b->seen_known && rrs_equal(&b->seen, &it->b->seen);

	return it->got && (same || (b->seen_known && rrs_equal(&b->seen, &it->seen)));
}

/* The owner as it was read back.  *moved: it is not as we believed when we sent. */
static int looked(struct settling *s, struct push_msg *m, struct push_item *it, struct belief *b,
		  bool withdraw, const char *why, bool *moved, struct err *e)
{
	struct belief was = *b;
	int r;

	*moved = !b->seen_known || !rrs_equal(&b->seen, &it->seen);
	if (withdraw && *moved && it->fresh)
		push_withdraw(b, &it->v);
	r = see(s, m, b, &it->seen, e);
	r = r < 0 ? r : judge(s, m, b, e);
	push_forget_late(b, m->looked_s);
	if (r < 0 || !*moved)
		return r;
	r = m->zone->zone->is_reverse ? see_ptr(s, m, &was, b, e) : 0;
	if (r < 0)
		return r;
	if (b->state != BELIEF_STEP)
		return finish(s, m, it, b, "reread", why, e);
	s->f->counts.changed += change_rrsets(&it->c);
	return finish(s, m, it, b, "done", why, e);
}

/* ---- one message ------------------------------------------------------------------------ */

static int requeue(struct settling *s, struct push_msg *m, size_t from, size_t n, struct err *e)
{
	struct push_msg *half = calloc(1, sizeof(*half));

	if (half == NULL || vec_push(&s->again->v, half) < 0) {
		free(half);
		return err_nomem(e);
	}
	half->round = m->round;
	half->zone = m->zone;
	half->items = m->items + from;
	half->n = n;
	m->round->open++;
	return 0;
}

static int split(struct settling *s, struct push_msg *m, struct err *e)
{
	size_t half = m->n / 2;
	int r = requeue(s, m, 0, half, e);

	return r < 0 ? r : requeue(s, m, half, m->n - half, e);
}

/* The server refuses a prerequisite that, as it shows itself, holds.  Knot answers from inside a
 * commit whose changes a query does not see yet: tried again at once, a few times. */
static int at_odds(struct settling *s, struct push_msg *m, struct push_item *it,
		   struct belief *b, const char *why, struct err *e)
{
	if (b->attempts >= PUSH_AT_ODDS_MAX)
		return refused(s, m, it, b, why, e);
	if (it->fresh)
		push_withdraw(b, &it->v);
	b->attempts++;
	return finish(s, m, it, b, "retry", why, e);
}

/* A prerequisite failed and the owners were read: those that moved are settled by what was
 * read, the others go again; when none moved the culprit is found by halving. */
static int reread(struct settling *s, struct push_msg *m, struct belief *b, const char *why,
		  struct err *e)
{
	size_t kept = 0, i;
	bool moved;
	int r = 0;

	for (i = 0; i < m->n && r == 0; i++) {
		if (!was_read(m->items[i], &b[i])) {
			r = later(s, m, m->items[i], &b[i], true, why, e);
			continue;
		}
		r = looked(s, m, m->items[i], &b[i], true, why, &moved, e);
		if (r == 0 && !moved)
			m->items[kept++] = m->items[i];
	}
	if (r < 0 || kept == 0)
		return r;
	if (kept < m->n)
		return requeue(s, m, 0, kept, e);
	if (m->n > 1)
		return split(s, m, e);
	return at_odds(s, m, m->items[0], &b[0], why, e);
}

static int unknown(struct settling *s, struct push_msg *m, struct belief *b, const char *why,
		   struct err *e)
{
	bool moved;
	size_t i;
	int r = 0;

	for (i = 0; i < m->n && r == 0; i++) {
		if (was_read(m->items[i], &b[i])) {
			r = looked(s, m, m->items[i], &b[i], false, why, &moved, e);
			if (r < 0 || moved)
				continue;
		}
		/* The offer stays: a late packet may still be applied. */
		r = later(s, m, m->items[i], &b[i], false, why, e);
	}
	return r;
}

/* What the owner shows settles its offers; it is sent anew by what is left of them. */
static int asked(struct settling *s, struct push_msg *m, struct push_item *it, struct belief *b,
		 struct err *e)
{
	bool moved;
	int r;

	if (!was_read(it, b))
		return later(s, m, it, b, true, m->why, e);
	r = looked(s, m, it, b, false, m->why, &moved, e);
	if (r < 0 || moved)
		return r;
	/* Without them its name may stand. */
	r = m->zone->zone->is_reverse ? 0 : touch(s, b, e);
	return r == 0 && vec_push(&s->put, *b) < 0 ? err_nomem(e) : r;
}

/* Said once in a run; a daemon that knew says nothing. */
static void stop_zone(struct settling *s, struct push_msg *m, const struct outcome_row *row)
{
	const char *detail = m->answer.detail;

	if (m->zone->stopped)
		return;
	m->zone->stopped = true;
	m->zone->failed = true;
	m->zone->dead = m->answer.end != ANSWER_REPLY;
	if (m->zone->gate == NULL || m->zone->gate->state == GATE_OPEN)
		flow_say(s->f, MSG_PUSH_STOPPED, m->zone->zone->text,
			 "push, %s%s%s%s; likely: %s; hint: %s", row->what,
			 detail != NULL ? " (" : "", detail != NULL ? detail : "",
			 detail != NULL ? ")" : "", row->cause, row->next);
}

static int settle_msg(struct settling *s, struct push_msg *m, struct belief *b, struct err *e)
{
	const struct outcome_row *row = outcome_of(&m->answer);
	const char *why = m->why;
	size_t i;
	int r = 0;

	if (m->ask)
		return asked(s, m, m->items[0], b, e);
	for (i = 0; i < m->n; i++)
		m->items[i]->stood = plan_forward_stands(&b[i]);
	switch (row->outcome) {
	case OUTCOME_DONE:
		for (i = 0; i < m->n && r == 0; i++)
			r = done(s, m, m->items[i], &b[i], why, e);
		return r;
	case OUTCOME_REREAD:
		return reread(s, m, b, why, e);
	case OUTCOME_UNKNOWN:
		stop_zone(s, m, row);
		return unknown(s, m, b, why, e);
	case OUTCOME_SPLIT:
		if (m->n > 1)
			return split(s, m, e);
		if (m->answer.rcode == RCODE_SERVFAIL)
			return failing(s, m, m->items[0], &b[0], why, e);
		return refused(s, m, m->items[0], &b[0], why, e);
	case OUTCOME_PARK:
	case OUTCOME_RETRY:
		stop_zone(s, m, row);
		for (i = 0; i < m->n && r == 0; i++)
			r = later(s, m, m->items[i], &b[i], true, why, e);
		return r;
	}
	return err_set(e, ERR_BUG, "an outcome of unknown kind");
}

/* ---- the short way ---------------------------------------------------------------------- */

/* Most changes are proven, move no PTR, take no one's place, and nobody touched their rows
 * meanwhile: those are written from what was sent, without reading them again and beside whoever
 * plans in the space. */
struct shortcut {
	VEC(struct belief) rows;
	VEC(struct push_item *) items;
	VEC(struct push_msg *) msgs;       /* of each item */
};

/* Those that are just what was wanted, and the others. */
struct shortcuts {
	struct shortcut wanted, rest;
};

static int gather_one(struct shortcut *c, const struct belief *b, struct push_item *it,
		      struct push_msg *m, struct err *e)
{
	if (vec_push(&c->rows, *b) < 0 || vec_push(&c->items, it) < 0 || vec_push(&c->msgs, m) < 0)
		return err_nomem(e);
	return 0;
}

static int gather(struct settling *s, struct shortcuts *c, struct push_msg *m, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; i < m->n && r == 0; i++) {
		struct push_item *it = m->items[i];
		struct belief b = *it->b;

		it->stood = plan_forward_stands(&b);
		r = prove(s, m, it, &b, e);
		if (r < 0 || belief_is_empty(&b) || moves_ptr(m, it, &b) || took_ptr(it))
			continue;
		r = gather_one(push_as_wanted(it->b, &b) ? &c->wanted : &c->rest, &b, it, m, e);
	}
	return r;
}

static int note_settled(struct settling *s, struct push_msg *m, struct push_item *it,
			const struct belief *b, struct err *e)
{
	it->settled = true;
	s->f->counts.changed += change_rrsets(&it->c);
	return note(s, m, it, b, "done", m->why, e);
}

static int write_shortcut(struct settling *s, struct shortcut *c, bool wanted, struct err *e)
{
	struct flow_store *st = s->f->store;
	bool *put = arena_array(&s->p.arena, c->rows.n + 1, sizeof(*put));
	size_t i;
	int r;

	if (put == NULL)
		return err_nomem(e);
	if (wanted)
		r = st->beliefs_proven(st->ctx, c->rows.v, c->rows.n, s->p.now_s, put, e);
	else
		r = st->beliefs_settle(st->ctx, c->rows.v, c->rows.n, put, e);
	for (i = 0; r == 0 && i < c->rows.n; i++) {
		if (put[i])
			r = note_settled(s, c->msgs.v[i], c->items.v[i], &c->rows.v[i], e);
	}
	return r;
}

static bool is_zones_first(const struct settling *s, size_t i)
{
	size_t k;

	for (k = 0; k < i && s->done[k]->zone != s->done[i]->zone; k++)
		;
	return k == i;
}

/* By these serials a server is known to have lost what was written. */
static int keep_serials(struct settling *s, struct err *e)
{
	struct flow_store *st = s->f->store;
	size_t i;
	int r = 0;

	for (i = 0; i < s->n_done && r == 0; i++) {
		const struct push_zone *z = s->done[i]->zone;

		if (z->serial != 0 && is_zones_first(s, i))
			r = st->zone_sent(st->ctx, z->zone->id, z->serial, false, e);
	}
	return r;
}

static void shortcut_fini(struct shortcut *c)
{
	vec_fini(&c->rows);
	vec_fini(&c->items);
	vec_fini(&c->msgs);
}

static int short_inside(void *arg, struct err *e)
{
	struct settling *s = arg;
	struct shortcuts c = {.wanted = {.rows = {0}}};
	size_t i;
	int r = 0;

	for (i = 0; i < s->n_done && r == 0; i++) {
		if (outcome_of(&s->done[i]->answer)->outcome == OUTCOME_DONE)
			r = gather(s, &c, s->done[i], e);
	}
	r = r < 0 ? r : write_shortcut(s, &c.wanted, true, e);
	r = r < 0 ? r : write_shortcut(s, &c.rest, false, e);
	r = r < 0 ? r : keep_serials(s, e);
	shortcut_fini(&c.wanted);
	shortcut_fini(&c.rest);
	return r;
}

static bool any_proven(const struct settling *s)
{
	size_t i;

	for (i = 0; i < s->n_done; i++) {
		if (outcome_of(&s->done[i]->answer)->outcome == OUTCOME_DONE)
			return true;
	}
	return false;
}

/* ---- the long way ----------------------------------------------------------------------- */

/* A message keeps only the items that the short way did not settle. */
static size_t left_of(struct push_msg *m)
{
	size_t i, kept = 0;

	for (i = 0; i < m->n; i++) {
		if (!m->items[i]->settled)
			m->items[kept++] = m->items[i];
	}
	m->n = kept;
	return kept;
}

static size_t all_left(struct settling *s)
{
	size_t n = 0, i;

	for (i = 0; i < s->n_done; i++)
		n += left_of(s->done[i]);
	return n;
}

/* The rows of all items as they are now, in the order of the messages. */
static int fresh_rows(struct settling *s, size_t n, struct belief **out, struct err *e)
{
	struct zone_key *keys = arena_array(&s->p.arena, n, sizeof(*keys));
	size_t i, j, k = 0;

	if (keys == NULL)
		return err_nomem(e);
	for (i = 0; i < s->n_done; i++) {
		for (j = 0; j < s->done[i]->n; j++) {
			keys[k].zone_id = s->done[i]->zone->zone->id;
			keys[k++].owner = s->done[i]->items[j]->b->owner;
		}
	}
	return planner_beliefs(&s->p, out, &s->p.arena, keys, k, e);
}

static int long_inside(void *arg, struct err *e)
{
	struct settling *s = arg;
	struct flow_store *st = s->f->store;
	struct belief *b;
	size_t i;
	int r = st->lock_space(st->ctx, s->p.space->id, e);

	r = r < 0 ? r : fresh_rows(s, s->n_left, &b, e);
	for (i = 0; i < s->n_done && r == 0; i++) {
		size_t n = s->done[i]->n;

		if (n > 0)
			r = settle_msg(s, s->done[i], b, e);
		b += n;
	}
	if (r == 0 && s->put.n > 0)
		r = st->beliefs_put(st->ctx, s->put.v, s->put.n, e);
	addrs_unique(s->touched.v, &s->touched.n);
	return r < 0 ? r : planner_addresses(&s->p, s->touched.v, s->touched.n, e);
}

/* One line a message, once its outcome is kept. */
static void say_done(struct flow *f, struct push_msg **done_, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (outcome_of(&done_[i]->answer)->outcome == OUTCOME_DONE)
			flow_say(f, MSG_UPDATE_DONE, done_[i]->zone->zone->text,
				 "update, done (%zu names)", done_[i]->sent);
	}
}

static int settle_space(struct flow *f, const struct policy_space *space, struct push_msg **done_,
			size_t n, struct push_again *again, struct err *e)
{
	struct settling s = {.f = f, .again = again, .done = done_, .n_done = n};
	int r = explain(&s, e);

	if (r == 0 && any_proven(&s))
		r = planner_transaction(&s.p, f, space, short_inside, &s, e);
	s.n_left = r < 0 ? 0 : all_left(&s);
	if (s.n_left > 0)
		r = planner_transaction(&s.p, f, space, long_inside, &s, e);
	if (r == 0 && f->server != NULL)
		say_done(f, done_, n);
	vec_fini(&s.put);
	vec_fini(&s.touched);
	buf_fini(&s.why);
	return r;
}

static int by_space(const void *a, const void *b)
{
	const struct push_msg *const *x = a, *const *y = b;

	return (*x)->zone->space->id - (*y)->zone->space->id;
}

int push_settle(struct flow *f, struct push_msg **done_, size_t n, struct push_again *again,
		struct err *e)
{
	size_t i, to;
	int r = 0;

	look(f, done_, n);
	if (f->policy->n_spaces > 1)
		qsort(done_, n, sizeof(*done_), by_space);
	for (i = 0; i < n && r == 0; i = to) {
		const struct policy_space *space = done_[i]->zone->space;

		for (to = i; to < n && done_[to]->zone->space == space; to++)
			;
		r = settle_space(f, space, done_ + i, to - i, again, e);
	}
	for (i = 0; i < n; i++)
		push_msg_free(done_[i]);
	return r;
}
