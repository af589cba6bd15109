/* ptr_evidence.c - the reverse pass into IPAM. */
#include <stdlib.h>
#include <string.h>

#include "bridge/core/dhcid.h"
#include "bridge/flow/ptr_evidence.h"
#include "bridge/flow/say.h"

/* One address and what is known of it. */
struct word {
	struct ptr_words *all;
	struct ipaddr addr;
	const struct evidence *kept; /* what DNS said before; NULL: nothing */
	const struct host *host;     /* how the address is named now; NULL: not */
};

static int host_order(const void *a, const void *b)
{
	return ipaddr_cmp(&((const struct host *)a)->addr, &((const struct host *)b)->addr);
}

static int evidence_order(const void *a, const void *b)
{
	return ipaddr_cmp(&((const struct evidence *)a)->obs.addr,
			  &((const struct evidence *)b)->obs.addr);
}

int ptr_words_open(struct ptr_words *w, struct planner *p, const struct policy_zone *zone,
		   const struct ipaddr *addrs, size_t n, struct err *e)
{
	struct flow_store *st = p->f->store;
	int r;

	memset(w, 0, sizeof(*w));
	w->p = p;
	w->zone = zone;
	w->src = policy_source_by_name(p->space, SOURCE_DNS);
	r = st->evidence_get(st->ctx, &w->ev, &w->n_ev, p->space->id, addrs, n, &w->arena, e);
	r = r < 0 ? r
		  : st->hosts_of_addrs(st->ctx, &w->hosts, &w->n_hosts, p->space->id, addrs, n,
				       &w->arena, e);
	if (r == 0 && w->n_ev > 0)
		qsort(w->ev, w->n_ev, sizeof(*w->ev), evidence_order);
	if (r == 0 && w->n_hosts > 0)
		qsort(w->hosts, w->n_hosts, sizeof(*w->hosts), host_order);
	return r;
}

void ptr_words_fini(struct ptr_words *w)
{
	vec_fini(&w->put);
	vec_fini(&w->del);
	arena_fini(&w->arena);
}

/* First row of the address in v (elements of size bytes, ordered by cmp). */
static size_t first_of(const void *v, size_t n, size_t size, const void *probe,
		       int (*cmp)(const void *, const void *))
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cmp((const char *)v + mid * size, probe) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void look_up(struct word *w)
{
	const struct ptr_words *all = w->all;
	struct evidence ev = {.obs.addr = w->addr};
	struct host host = {.addr = w->addr};
	size_t i;

	i = first_of(all->ev, all->n_ev, sizeof(ev), &ev, evidence_order);
	for (; i < all->n_ev && evidence_order(&all->ev[i], &ev) == 0; i++) {
		if (all->ev[i].source_id == all->src->id)
			w->kept = &all->ev[i];
	}
	i = first_of(all->hosts, all->n_hosts, sizeof(host), &host, host_order);
	for (; i < all->n_hosts && host_order(&all->hosts[i], &host) == 0; i++) {
		if (w->host == NULL || all->hosts[i].ptr)
			w->host = &all->hosts[i];
	}
}

/* Another updater (D2, a second bridge) left its mark for this client at this target. */
static bool by_updater(const struct word *w, const struct rrs *seen, const struct dname *target)
{
	const struct rr *dhcid;

	if (rrs_of(seen, RR_DHCID, &dhcid) == 0 || w->host == NULL)
		return false;
	return dhcid_is(dhcid, &w->host->id, w->addr.family == 6, target);
}

/* A DHCP updater came and left the mark of its client, which we may not have heard of yet; who edits
 * by hand leaves the DHCID as it is.  What we offered counts while it may still come. */
static bool brought_dhcid(const struct belief *was, const struct belief *is)
{
	const struct rr *v;
	size_t n = rrs_of(&is->seen, RR_DHCID, &v), i;
	bool known = true;

	for (i = 0; i < n && known; i++)
		known = rrs_has(&was->seen, &v[i]) || rrs_has(&was->published, &v[i]) ||
			belief_offers(is, &v[i]);
	return !known;
}

static bool kept_name(const struct word *w, struct dname *out)
{
	return w->kept != NULL && dname_parse(out, (const char *)w->kept->obs.name.p,
					      w->kept->obs.name.len);
}

/* The PTR that gives the name DNS gave before; NULL: none does. */
static const struct rr *kept_ptr(const struct word *w, const struct rrs *seen)
{
	const struct rr *v, *found = NULL;
	size_t n = rrs_of(seen, RR_PTR, &v), i;
	struct dname had, t;

	for (i = 0; i < n && kept_name(w, &had); i++) {
		if (rr_target(&t, &v[i]) && dname_equal(&t, &had))
			found = &v[i];
	}
	return found;
}

/* Several PTRs: the one that names the address already stays, else the first. */
static bool choose(const struct word *w, const struct rrs *seen, struct dname *out)
{
	const struct rr *first, *kept = kept_ptr(w, seen);

	if (rrs_of(seen, RR_PTR, &first) == 0 || !rr_target(out, first))
		return false;
	return kept == NULL || rr_target(out, kept);
}

/* Is a PTR of ours among those seen? */
static bool ours_there(const struct belief *b)
{
	const struct rr *v;
	int i;

	if (rrs_of(&b->published, RR_PTR, &v) > 0 &&
	    rrs_within_of(&b->published, &b->seen, RR_PTR))
		return true;
	for (i = 0; i < b->n_offered; i++) {
		if (rrs_of(&b->offered[i], RR_PTR, &v) > 0 &&
		    rrs_within_of(&b->offered[i], &b->seen, RR_PTR))
			return true;
	}
	return false;
}

/* What DNS says now: OBS_EDIT, OBS_DNS, or -1 nothing. */
static int kind_of(const struct word *w, const struct belief *was, const struct belief *is,
		   struct dname *target)
{
	const struct rr *v;

	if (!choose(w, &is->seen, target) || ours_there(is))
		return -1;
	/* Where nothing is wanted any more nothing was replaced: it was to go anyway. */
	if (rrs_of(&was->published, RR_PTR, &v) > 0 && rrs_of(&was->want, RR_PTR, &v) > 0)
		return by_updater(w, &is->seen, target) || brought_dhcid(was, is) ? -1 : OBS_EDIT;
	/* A DHCP updater's PTR tells of a lease, not of a name somebody chose. */
	if (rrs_of(&is->seen, RR_DHCID, &v) > 0)
		return -1;
	return OBS_DNS;
}

static int forget(struct word *w, struct err *e)
{
	if (w->kept == NULL)
		return 0;
	if (vec_push(&w->all->del, *w->kept) < 0)
		return err_nomem(e);
	return planner_note(w->all->p, NULL, &w->addr, "ended", NULL, NULL, -1,
			    "the PTR changed or is gone from DNS", e);
}

static int learn(struct word *w, int kind, const struct dname *target, const struct belief *is,
		 struct err *e)
{
	struct ptr_words *all = w->all;
	struct evidence ev = {.source_id = all->src->id};
	char text[DNAME_TEXT];
	int r = 1;

	if (kind == OBS_EDIT)
		r = brakes_admit(all->p, all->src->id, &w->addr, BRAKE_EDIT, e);
	if (r < 0)
		return r;
	dname_print(text, target);
	ev.held = r == 0;
	if (ev.held)
		flow_say_held(all->p->f, all->src->name, "too many PTRs edited in an hour");
	ev.obs.addr = w->addr;
	ev.obs.kind = (uint8_t)kind;
	ev.obs.name.len = (uint16_t)strlen(text);
	ev.obs.name.p = arena_dup(&all->arena, text, strlen(text));
	ev.obs.valid_until_s = OBS_FOREVER;
	ev.obs.seen_at_s = ev.first_seen_s = ev.last_seen_s = all->p->now_s;
	if (ev.obs.name.p == NULL || vec_push(&all->put, ev) < 0)
		return err_nomem(e);
	return planner_note(all->p, is, &w->addr, ev.held ? "held" : "observed", NULL, &is->seen, -1,
			    kind == OBS_EDIT ? "a PTR of ours was edited in DNS"
					     : "a PTR that is not ours names the address",
			    e);
}

static bool says_the_same(const struct word *w, int kind, const struct dname *target)
{
	struct dname had;

	/* What the brake held may be let through now. */
	if (w->kept != NULL && w->kept->held && w->all->p->f->force != NULL)
		return false;
	return kept_name(w, &had) && w->kept->obs.kind == kind && dname_equal(&had, target);
}

/* Did DNS show it until now, and not as ours? */
static bool rested_on_dns(const struct word *w, const struct belief *was)
{
	const struct rr *kept = kept_ptr(w, &was->seen);

	return kept != NULL && !rrs_has(&was->published, kept);
}

/* An old zone that came back takes away what it does not show.  An edit whose PTR was adopted, or
 * replaced by ours, did not rest on DNS any more; no other name rests on a PTR of ours, or of a DHCP
 * updater. */
static bool outlasts(const struct word *w, const struct belief *was, const struct belief *is)
{
	const struct rr *dhcid;
	struct dname target;
	bool shown;

	if (w->kept == NULL)
		return false;
	shown = choose(w, &is->seen, &target) && says_the_same(w, w->kept->obs.kind, &target);
	if (w->kept->obs.kind == OBS_EDIT)
		return shown || !rested_on_dns(w, was);
	return shown && !ours_there(is) && rrs_of(&is->seen, RR_DHCID, &dhcid) == 0;
}

int ptr_word(struct ptr_words *all, const struct belief *was, const struct belief *is,
	     bool rollback, struct err *e)
{
	struct word w = {.all = all};
	struct dname target;
	int kind;

	if (all->src == NULL || !policy_ptr_addr(&w.addr, all->zone, &is->owner))
		return 0;
	look_up(&w);
	if (rollback)
		return outlasts(&w, was, is) ? 0 : forget(&w, e);
	kind = kind_of(&w, was, is, &target);
	if (kind < 0)
		return forget(&w, e);
	return says_the_same(&w, kind, &target) ? 0 : learn(&w, kind, &target, is, e);
}

int ptr_words_keep(struct ptr_words *w, struct err *e)
{
	struct flow_store *st = w->p->f->store;
	int r = 0;

	if (w->del.n > 0)
		r = st->evidence_del(st->ctx, w->del.v, w->del.n, e);
	if (r == 0 && w->put.n > 0)
		r = st->evidence_put(st->ctx, w->put.v, w->put.n, e);
	return r;
}
