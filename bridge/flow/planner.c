/* planner.c - judges owners: what flow adds to the pure verdict (zone facts, history, memory). */
#include <stdlib.h>
#include <string.h>

#include "bridge/core/dhcid.h"
#include "bridge/core/push_state.h"
#include "bridge/core/verdict.h"
#include "bridge/flow/planner.h"
#include "bridge/flow/say.h"
#include "bridge/value/wirelen.h"

enum { REVERT_MEMORY_S = 86400 };  /* reverts further apart than a day are no fight */

/* What is kept from one transaction to the next. */
struct flow_zones {
	struct arena arena;
	struct planner_zone *zones;
	int64_t since_s;
};

enum { ZONES_KEPT_S = 1 };

static void fini_zones(struct planner_zone *z)
{
	for (; z != NULL; z = z->next) {
		map_fini(&z->cuts);
		map_fini(&z->targets);
		map_fini(&z->aside);
	}
}

static void drop_kept(struct flow_zones *k)
{
	fini_zones(k->zones);
	k->zones = NULL;
	arena_reset(&k->arena);
}

/* The first look at a zone changes too much to miss it. */
static void drop_unknown(struct flow_zones *k)
{
	const struct planner_zone *z = k->zones;

	while (z != NULL && (z->row.known || z->row.asked))
		z = z->next;
	if (z != NULL)
		drop_kept(k);
}

struct flow_zones *flow_zones_new(void)
{
	return calloc(1, sizeof(struct flow_zones));
}

void flow_zones_free(struct flow_zones *k)
{
	if (k == NULL)
		return;
	drop_kept(k);
	arena_fini(&k->arena);
	free(k);
}

void planner_init(struct planner *p, struct flow *f, const struct policy_space *space)
{
	memset(p, 0, sizeof(*p));
	p->f = f;
	p->space = space;
	p->now_s = f->net->now_s(f->net->ctx);
	if (f->zones == NULL)
		return;
	if (p->now_s < f->zones->since_s || p->now_s > f->zones->since_s + ZONES_KEPT_S) {
		drop_kept(f->zones);
		f->zones->since_s = p->now_s;
	}
	p->zones = f->zones->zones;
}

int planner_lock_spaces(struct flow *f, struct err *e)
{
	struct flow_store *st = f->store;
	size_t i;
	int r = 0;

	for (i = 0; i < f->policy->n_spaces && r == 0; i++) {
		if (f->policy->spaces[i].n_zones > 0)
			r = st->lock_space(st->ctx, f->policy->spaces[i].id, e);
	}
	return r;
}

void planner_forget_zones(struct planner *p)
{
	if (p->f->zones != NULL)
		drop_kept(p->f->zones);
	else
		fini_zones(p->zones);
	p->zones = NULL;
}

void planner_fini(struct planner *p)
{
	if (p->f->zones == NULL)
		fini_zones(p->zones);
	else
		drop_unknown(p->f->zones);
	arena_fini(&p->arena);
	memset(p, 0, sizeof(*p));
}

int planner_transaction(struct planner *p, struct flow *f, const struct policy_space *space,
			int (*inside)(void *arg, struct err *e), void *arg, struct err *e)
{
	struct flow_store *st = f->store;
	int r = st->begin(st->ctx, e);

	if (r < 0)
		return r;
	planner_init(p, f, space);
	r = inside(arg, e);
	r = r < 0 ? r : brakes_keep(p, e);
	if (r < 0)
		st->rollback(st->ctx);
	else
		r = st->commit(st->ctx, e);
	planner_fini(p);
	return r;
}

int addr_order(const void *a, const void *b)
{
	return ipaddr_cmp(a, b);
}

void addrs_unique(struct ipaddr *v, size_t *n)
{
	size_t i, kept = 0;

	if (*n == 0)
		return;
	qsort(v, *n, sizeof(*v), addr_order);
	for (i = 1; i < *n; i++) {
		if (ipaddr_cmp(&v[kept], &v[i]) != 0)
			v[++kept] = v[i];
	}
	*n = kept + 1;
}

/* ---- zones ------------------------------------------------------------------------------ */

/* What one guarding owner forbids: names below it, or the names it points at. */
static int guard(struct planner_zone *z, struct arena *a, const struct belief *b)
{
	struct dname *owner = arena_dup(a, &b->owner, sizeof(b->owner));
	size_t i;
	int r = 0;

	if (owner == NULL)
		return ERR_NOMEM;
	if (b->decided == DECIDED_DNS)
		r = map_put(&z->aside, owner->b, owner->len, owner);
	for (i = 0; i < b->seen.n && r == 0; i++) {
		const struct rr *rr = &b->seen.v[i];
		struct dname target, *kept;

		if ((rr->type == RR_NS || rr->type == RR_DNAME) &&
		    !dname_equal(owner, &z->zone->name))
			r = map_put(&z->cuts, owner->b, owner->len, owner);
		if (r < 0 || !rrtype_has(rr->type, RRTYPE_TARGET) || !rr_target(&target, rr) ||
		    !dname_under(&target, &z->zone->name))
			continue;
		kept = arena_dup(a, &target, sizeof(target));
		r = kept == NULL ? ERR_NOMEM : map_put(&z->targets, kept->b, kept->len, kept);
	}
	return r;
}

static int load_zone(struct planner *p, struct planner_zone *z, struct arena *keep, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct belief *b;
	size_t n, i;
	int r;

	r = st->zone_get(st->ctx, &z->row, keep, z->id, e);
	r = r < 0 ? r : st->beliefs_guarding(st->ctx, &b, &n, z->id, &p->arena, e);
	if (r < 0)
		return r;
	for (i = 0; i < n; i++) {
		if (guard(z, keep, &b[i]) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int new_zone(struct planner_zone **out, struct planner *p, const struct policy_zone *zone,
		    struct err *e)
{
	struct arena *keep = p->f->zones != NULL ? &p->f->zones->arena : &p->arena;
	struct planner_zone *z = arena_alloc(keep, sizeof(*z));
	int r;

	if (z == NULL)
		return err_nomem(e);
	*z = (struct planner_zone){.id = zone->id, .zone = zone, .cuts = MAP_INIT,
				   .targets = MAP_INIT, .aside = MAP_INIT};
	r = load_zone(p, z, keep, e);
	if (r < 0) {
		fini_zones(z);
		return r;
	}
	z->next = p->zones;
	p->zones = z;
	if (p->f->zones != NULL)
		p->f->zones->zones = z;
	*out = z;
	return 0;
}

int planner_zone(struct planner_zone **out, struct planner *p, const struct policy_zone *zone,
		 struct err *e)
{
	struct planner_zone *z;

	for (z = p->zones; z != NULL; z = z->next) {
		if (z->id == zone->id) {
			*out = z;
			return 0;
		}
	}
	return new_zone(out, p, zone, e);
}

bool planner_below_cut(const struct planner_zone *z, const struct dname *owner)
{
	unsigned above = dname_labels(owner) - dname_labels(&z->zone->name), i;
	struct dname parent;

	if (z->cuts.n == 0)
		return false;
	for (i = 1; i < above; i++) {
		dname_parent(&parent, owner, i);
		if (map_get(&z->cuts, parent.b, parent.len) != NULL)
			return true;
	}
	return false;
}

/* ---- judging ---------------------------------------------------------------------------- */

/* D2 or another bridge wrote PTR and DHCID for the very client that we name here. */
static bool same_client(const struct belief *b, const struct host *host)
{
	const struct rr *ptr, *dhcid;
	struct dname target;

	if (host == NULL || rrs_of(&b->seen, RR_DHCID, &dhcid) != 1 ||
	    rrs_of(&b->seen, RR_PTR, &ptr) != 1 || !rr_target(&target, ptr))
		return false;
	return dhcid_is(dhcid, &host->id, host->addr.family == 6, &target);
}

static void count_revert(struct belief *b, int64_t now_s)
{
	if (b->settled_at_s + REVERT_MEMORY_S < now_s)
		b->reverts = 0;
	b->reverts++;
	b->removed_at_s = now_s;
}

/* A refusal or freeze stands until an input of the decision changes. */
static bool still_stopped(const struct belief *was, const struct belief *b)
{
	return (was->state == BELIEF_REFUSED || was->state == BELIEF_FROZEN) &&
	       was->decided == b->decided && rrs_equal(&was->want, &b->want) &&
	       rrs_equal(&was->seen, &b->seen) &&
	       /* In a restored zone what had been ours is as if it had never been: no fight is left. */
	       (was->published.n == 0 || b->published.n > 0);
}

static const char *other_writer(const struct belief *b)
{
	/* Ours, left behind, tells nothing. */
	return !rrs_within_of(&b->seen, &b->published, RR_DHCID)
		       ? "the other writer is a DHCP updater: a DHCID stands there"
		       : "DNS does not tell who the other writer is: see the server's log of updates";
}

/* Who fights over the name, as well as can be known.  NULL: no memory. */
static const char *name_fight(struct arena *a, const struct belief *b,
			      const struct planner_zone *z, const char *why)
{
	struct buf wrote = BUF_INIT, seen = BUF_INIT;
	char at[24];
	char *s;

	rrs_print(&wrote, &b->published);
	rrs_print(&seen, &b->seen);
	s = arena_printf(a, "%s; this bridge wrote %s by server \"%s\", last seen removed %s, %s left "
			 "there; %s", why, wrote.len > 0 ? buf_text(&wrote) : "nothing",
			 z->zone->n_servers > 0 ? z->zone->servers[0] : "",
			 time_print(at, b->removed_at_s), seen.len > 0 ? buf_text(&seen) : "nothing",
			 other_writer(b));
	/* A set has a record in each line, a sentence is one. */
	for (char *p = s; p != NULL && *p != '\0'; p++) {
		if (*p == '\n')
			*p = ',';
	}
	if (wrote.bad || seen.bad)
		s = NULL;
	buf_fini(&wrote);
	buf_fini(&seen);
	return s;
}

int planner_supported(struct planner *p, const struct belief *b, bool *out, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct source_row row;
	int r;

	*out = b->removed_at_s == 0 || b->want_source == 0 || b->want_kind == OBS_MANUAL ||
	       b->want_kind == OBS_EDIT;
	if (*out)
		return 0;
	r = st->source_get(st->ctx, &row, &p->arena, b->want_source, e);
	*out = r == 0 && row.last_ok_s >= b->removed_at_s;
	return r;
}

int planner_judge(struct planner *p, struct arena *a, struct belief *b, const struct belief *was,
		  const struct planner_zone *z, const struct host *host, struct err *e)
{
	struct verdict v;
	bool supported, waits;
	int r = planner_supported(p, b, &supported, e);

	if (r < 0)
		return r;

	if (p->spare && was != NULL && belief_spare(b, a, &was->want) < 0)
		return err_nomem(e);
	b->apex = dname_equal(&b->owner, &z->zone->name);
	b->below_cut = planner_below_cut(z, &b->owner);
	b->same_client = z->zone->is_reverse && same_client(b, host);
	push_forget_late(b, z->row.read_at_s);
	if (verdict_owner(&v, a, b, z->zone->foreign, supported) < 0)
		return err_nomem(e);
	if (push_waits(&waits, a, b, &v, z->zone->foreign, supported) < 0)
		return err_nomem(e);
	if (v.revert)
		count_revert(b, p->now_s);
	b->published = v.published;
	b->contested = v.contested;
	if (was != NULL && still_stopped(was, b)) {
		b->why = was->why;
		return 0;
	}
	/* Allowed once, for what there was to write over. */
	if (b->decided == DECIDED_IPAM && v.state != BELIEF_DUE)
		b->decided = DECIDED_NOTHING;
	if (waits) {
		v.state = BELIEF_DUE;
		b->due_at_s = push_late_s(b);
	} else if (b->state != BELIEF_DUE || v.state != BELIEF_DUE) {
		b->due_at_s = v.state == BELIEF_DUE ? p->now_s : 0;
		b->attempts = 0;
	}
	b->state = v.state;
	if (v.state != BELIEF_DUE && v.state != BELIEF_STEP)
		b->why = v.state == BELIEF_FROZEN ? name_fight(a, b, z, v.why) : v.why;
	if (v.state == BELIEF_FROZEN && b->why == NULL)
		return err_nomem(e);
	if (v.state == BELIEF_STEP && v.row == 1 && v.target.n > 0 && b->seen_known)
		b->removed_at_s = 0;
	return 0;
}

int planner_note_state(struct planner *p, const struct belief *was, const struct belief *b,
		       struct err *e)
{
	char owner[DNAME_TEXT];

	if (was->state == b->state || (b->state != BELIEF_CONFLICT && b->state != BELIEF_FROZEN &&
				       b->state != BELIEF_AGREED))
		return 0;
	if (b->state == BELIEF_FROZEN)
		flow_say(p->f, MSG_NAME_FROZEN, dname_print(owner, &b->owner), "%s", b->why);
	return planner_note(p, b, NULL, belief_state_name((enum belief_state)b->state), &b->seen,
			    &b->want, -1, b->why, e);
}

/* ---- rows ------------------------------------------------------------------------------- */

/* The bytes of a key: nothing stands behind the name's length. */
static size_t key_len(const struct zone_key *k)
{
	return offsetof(struct zone_key, owner.b) + k->owner.len;
}

static int match_rows(struct belief *out, struct arena *a, const struct zone_key *keys, size_t n,
		      const struct belief *rows, size_t n_rows)
{
	struct zone_key *row_keys = arena_array(a, n_rows + 1, sizeof(*row_keys));
	struct map m = MAP_INIT;
	size_t i;
	int r = row_keys == NULL ? ERR_NOMEM : 0;

	/* A name can be an owner in a zone and in the one above it. */
	for (i = 0; i < n_rows && r == 0; i++) {
		row_keys[i].zone_id = rows[i].zone_id;
		row_keys[i].owner = rows[i].owner;
		r = map_put(&m, &row_keys[i], key_len(&row_keys[i]), (void *)(uintptr_t)&rows[i]);
	}
	for (i = 0; i < n && r == 0; i++) {
		const struct belief *row = map_get(&m, &keys[i], key_len(&keys[i]));

		if (row != NULL)
			out[i] = *row;
	}
	map_fini(&m);
	return r;
}

int planner_keep_implied(struct planner *p, struct arena *a, struct belief *b,
			 const struct planner_zone *z, struct err *e)
{
	struct flow_store *st = p->f->store;
	uint64_t unsent;

	b->apex = dname_equal(&b->owner, &z->zone->name);
	/* Only we could have sent it, and have not. */
	if (st->zone_held(st->ctx, z->id, &unsent) && belief_written_since(b, unsent))
		return 0;
	return push_keep_implied(b, a, z->zone->foreign, p->now_s) < 0 ? err_nomem(e) : 0;
}

/* A due row with offers may be waiting to know what became of them: its name is not ours before. */
static int judge_waiting(struct belief *b, struct arena *a, const struct planner_zone *z,
			 struct err *e)
{
	struct verdict v;

	if (b->state != BELIEF_DUE || b->n_offered == 0)
		return 0;
	if (verdict_owner(&v, a, b, z->zone->foreign, true) < 0)
		return err_nomem(e);
	b->contested = v.contested;
	return 0;
}

int planner_beliefs(struct planner *p, struct belief **out, struct arena *a,
		    const struct zone_key *keys, size_t n, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct planner_zone *z;
	struct belief *rows;
	size_t n_rows, i;
	int r;

	*out = arena_array(a, n + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	r = st->beliefs_get(st->ctx, &rows, &n_rows, keys, n, a, e);
	if (r < 0)
		return r;
	if (match_rows(*out, a, keys, n, rows, n_rows) < 0)
		return err_nomem(e);
	for (i = 0; i < n; i++) {
		struct belief *b = &(*out)[i];

		r = planner_zone(&z, p, policy_zone_by_id(p->f->policy, keys[i].zone_id, NULL), e);
		if (r < 0)
			return r;
		if (b->owner.len > 0) {
			r = planner_keep_implied(p, a, b, z, e);
			r = r < 0 ? r : judge_waiting(b, a, z, e);
			if (r < 0)
				return r;
			continue;
		}
		b->zone_id = keys[i].zone_id;
		b->owner = keys[i].owner;
		b->seen_known = z->row.known;
		b->why = "";
	}
	return 0;
}

int planner_end_edits(struct planner *p, const struct ipaddr *addrs, size_t n, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct arena a = ARENA_INIT;
	struct evidence *ev;
	size_t n_ev, i, kept = 0;
	int r;

	r = st->evidence_get(st->ctx, &ev, &n_ev, p->space->id, addrs, n, &a, e);
	for (i = 0; r == 0 && i < n_ev; i++) {
		if (ev[i].obs.kind == OBS_EDIT)
			ev[kept++] = ev[i];
	}
	if (r == 0 && kept > 0)
		r = st->evidence_del(st->ctx, ev, kept, e);
	for (i = 0; r == 0 && i < kept; i++)
		r = planner_note(p, NULL, &ev[i].obs.addr, "ended", NULL, NULL, -1,
				 "the lease whose PTR was edited is over", e);
	arena_fini(&a);
	return r;
}

int planner_note(struct planner *p, const struct belief *b, const struct ipaddr *addr,
		 const char *event, const struct rrs *before, const struct rrs *after, int rcode,
		 const char *why, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct buf from = BUF_INIT, to = BUF_INIT;
	struct journal_line l = {.at_s = p->now_s, .space_id = p->space->id, .addr = addr,
				 .event = event, .rcode = rcode, .why = why};
	int r;

	if (b != NULL) {
		l.zone_id = b->zone_id;
		l.owner = &b->owner;
	}
	if (before != NULL) {
		rrs_print(&from, before);
		l.before = buf_text(&from);
	}
	if (after != NULL) {
		rrs_print(&to, after);
		l.after = buf_text(&to);
	}
	r = from.bad || to.bad ? err_nomem(e) : st->journal(st->ctx, &l, 1, e);
	buf_fini(&from);
	buf_fini(&to);
	return r;
}
