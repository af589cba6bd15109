/* differential.c - the store in memory and the one on PostgreSQL are one and the same: random
 * operations on both, every answer compared as text.
 *
 *	IPAMBRIDGE_TEST_DB=CONNINFO differential [-s SEED] [-n OPERATIONS]
 *
 * The schema "ipambridge" of that database is dropped and made anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/base/vec.h"
#include "bridge/store/store.h"
#include "tests/sim/world.h"

enum { N_ADDRS = 18, N_NAMES = 10, START_S = 1700000000 };

struct side {
	struct flow_store st;
	struct arena a;
	struct buf out;    /* what the last operation answered */
};

struct diff {
	struct rng rng;
	struct world w;
	struct policy_space *space;
	struct side side[2];
	struct arena a;    /* arguments */
	int64_t now_s;
	bool in_tx;
	struct ipaddr addrs[N_ADDRS];
	struct dname names[N_NAMES];
};

static const char *const labels[N_NAMES] = {"a", "b", "web01", "web-01", "z", "_x", "m9", "*",
					    "sub.a", "b\\.c"};

/* ---- random arguments --------------------------------------------------------------------- */

static uint32_t below(struct diff *d, uint32_t n)
{
	return rng_below(&d->rng, n);
}

static int64_t some_time(struct diff *d)
{
	return below(d, 4) == 0 ? 0 : d->now_s - 5000 + below(d, 10000);
}

static int32_t some_zone(struct diff *d)
{
	return d->space->zones[below(d, (uint32_t)d->space->n_zones)].id;
}

static const struct policy_source *some_source(struct diff *d)
{
	return &d->space->sources[below(d, (uint32_t)d->space->n_sources)];
}

static const char *some_text(struct diff *d)
{
	static const char *const text[] = {"why not", "", "it's \"so\"", "caf\xc3\xa9 \\ %s", NULL};

	return text[below(d, 5)];
}

static struct bytes some_bytes(struct diff *d)
{
	uint16_t len = (uint16_t)below(d, 9);
	uint8_t *p = arena_alloc(&d->a, len + 1u);

	for (uint16_t i = 0; i < len; i++)
		p[i] = (uint8_t)(below(d, 3) == 0 ? below(d, 256) : 'a' + below(d, 3));
	return (struct bytes){len == 0 ? NULL : p, len};
}

static struct bytes name_text(struct diff *d, const struct dname *n)
{
	char text[DNAME_TEXT];
	const char *s = arena_strdup(&d->a, dname_print(text, n));

	return (struct bytes){(const uint8_t *)s, (uint16_t)strlen(s)};
}

static struct obs some_obs(struct diff *d, const struct policy_source *src)
{
	struct obs o = {.addr = d->addrs[below(d, N_ADDRS)], .kind = src->kind};

	o.name = some_bytes(d);
	if (o.name.len == 0 && src->kind == OBS_MANUAL)
		o.name = (struct bytes){(const uint8_t *)"m", 1};
	o.mac.known = below(d, 2);
	if (o.mac.known)
		o.mac.b[5] = (uint8_t)below(d, 3);
	o.client_id = below(d, 3) == 0 ? some_bytes(d) : (struct bytes){NULL, 0};
	o.duid = below(d, 3) == 0 ? some_bytes(d) : (struct bytes){NULL, 0};
	o.dhcid = below(d, 3) == 0 ? some_bytes(d) : (struct bytes){NULL, 0};
	o.valid_until_s = below(d, 3) == 0 ? OBS_FOREVER : d->now_s - 2000 + below(d, 4000);
	o.seen_at_s = some_time(d);
	o.ttl_s = below(d, 3) == 0 ? 1 + below(d, 900) : 0;
	o.ptr = src->kind == OBS_MANUAL && below(d, 2);
	o.raw = some_bytes(d);
	return o;
}

/* Two such of one key differ in one fact or two: none is forgotten when rows are compared. */
static struct obs plain_obs(struct diff *d, const struct policy_source *src)
{
	static const struct bytes name = {(const uint8_t *)"m", 1};
	struct obs o = {.addr = d->addrs[below(d, N_ADDRS)], .kind = src->kind, .name = name,
			.valid_until_s = OBS_FOREVER, .seen_at_s = START_S, .raw = name};

	switch (below(d, 8)) {
	case 0:
		o.mac = (struct mac){true, {2}};
		break;
	case 1:
		o.client_id = name;
		break;
	case 2:
		o.duid = name;
		break;
	case 3:
		o.dhcid = name;
		break;
	case 4:
		o.valid_until_s = START_S * 2LL;
		break;
	case 5:
		o.ttl_s = 60;
		break;
	case 6:
		o.ptr = src->kind == OBS_MANUAL;
		break;
	}
	return o;
}

static struct evidence plain_evidence(struct diff *d)
{
	const struct policy_source *src = some_source(d);
	struct evidence ev = {.obs = plain_obs(d, src), .source_id = src->id,
			      .first_seen_s = START_S, .last_seen_s = START_S};

	return ev;
}

static struct evidence some_evidence(struct diff *d)
{
	if (below(d, 2) == 0)
		return plain_evidence(d);
	const struct policy_source *src = some_source(d);
	struct evidence ev = {.obs = some_obs(d, src), .source_id = src->id,
			      .first_seen_s = some_time(d), .last_seen_s = d->now_s,
			      .absent_since_s = below(d, 3) == 0 ? some_time(d) : 0,
			      .held = below(d, 5) == 0};

	return ev;
}

/* As plain_obs. */
static struct host plain_host(struct diff *d, const struct ipaddr *a, size_t name)
{
	static const struct bytes id = {(const uint8_t *)"m", 1};
	struct host h = {.addr = *a, .name = d->names[name], .asked = d->names[name],
			 .kind = OBS_LEASE, .source_id = d->space->sources[0].id,
			 .since_s = START_S, .expires_at_s = OBS_FOREVER, .why = "plain"};

	switch (below(d, 6)) {
	case 0:
		h.id.mac = (struct mac){true, {2}};
		break;
	case 1:
		h.id.client_id = id;
		break;
	case 2:
		h.id.duid = id;
		break;
	case 3:
		h.id.dhcid = id;
		h.id.dhcid_name = name_text(d, &h.asked);
		break;
	case 4:
		h.ptr = true;
		break;
	}
	return h;
}

static struct host some_host(struct diff *d, const struct ipaddr *a, size_t name)
{
	if (below(d, 2) == 0)
		return plain_host(d, a, name);
	struct host h = {.addr = *a, .name = d->names[name], .asked = d->names[below(d, N_NAMES)],
			 .ptr = below(d, 2), .kind = (uint8_t)below(d, OBS_KINDS),
			 .source_id = some_source(d)->id, .since_s = some_time(d),
			 .expires_at_s = below(d, 2) ? OBS_FOREVER : d->now_s + below(d, 500),
			 .ttl_s = below(d, 2) * 60, .why = some_text(d)};

	if (below(d, 4) == 0) {
		h.name.len = 0;
		h.asked.len = below(d, 2) ? 0 : h.asked.len;
	}
	h.id.mac.known = below(d, 2);
	h.id.client_id = below(d, 2) ? some_bytes(d) : (struct bytes){NULL, 0};
	h.id.duid = below(d, 2) ? some_bytes(d) : (struct bytes){NULL, 0};
	if (below(d, 2) && h.asked.len > 0)
		h.id.dhcid = some_bytes(d);
	if (h.id.dhcid.len > 0)
		h.id.dhcid_name = name_text(d, &h.asked);
	return h;
}

static struct rrs some_set(struct diff *d, bool managed)
{
	static const uint8_t dhcid[35] = {0, 1, 1, 7, 8, 9};
	struct rrs s = {NULL, 0};

	for (uint32_t n = below(d, 3); n > 0; n--) {
		switch (below(d, managed ? 4 : 7)) {
		case 0:
		case 1:
			rrs_add_addr(&s, &d->a, &d->addrs[below(d, N_ADDRS)]);
			break;
		case 2:
			rrs_add_name(&s, &d->a, RR_PTR, &d->names[below(d, N_NAMES)]);
			break;
		case 3:
			rrs_add(&s, &d->a, RR_DHCID, dhcid, sizeof(dhcid));
			break;
		case 4:
			rrs_add_name(&s, &d->a, RR_CNAME, &d->names[below(d, N_NAMES)]);
			break;
		case 5:
			rrs_add_name(&s, &d->a, RR_NS, &d->names[below(d, N_NAMES)]);
			break;
		default:
			rrs_add(&s, &d->a, RR_TXT, "", 0);
		}
	}
	return s;
}

static struct belief some_belief(struct diff *d)
{
	struct belief b = {.zone_id = some_zone(d), .owner = d->names[below(d, N_NAMES)],
			   .want = some_set(d, true), .published = some_set(d, true),
			   .n_offered = (uint8_t)below(d, BELIEF_OFFERED_MAX),
			   .seen_known = true, .want_kind = (uint8_t)below(d, OBS_KINDS),
			   .want_ttl_s = below(d, 600), .sent_ttl_s = below(d, 2) * 300,
			   .settled_at_s = some_time(d), .removed_at_s = some_time(d),
			   .reverts = below(d, 4),
			   .state = (uint8_t)below(d, BELIEF_STATES), .due_at_s = some_time(d),
			   .attempts = below(d, 9), .why = some_text(d),
			   .decided = (uint8_t)below(d, BELIEF_DECISIONS)};

	for (int i = 0; i < b.n_offered; i++) {
		b.offered[i] = some_set(d, true);
		b.offered_at_s[i] = some_time(d);
	}
	b.seen = below(d, 2) ? b.published : some_set(d, false);
	if (below(d, 6) == 0) {
		b.want = b.published = b.seen = (struct rrs){NULL, 0};
		b.n_offered = 0;
		b.decided = below(d, 3) == 0 ? DECIDED_DISOWNED : DECIDED_NOTHING;
	}
	return b;
}

/* ---- answers as text ---------------------------------------------------------------------- */

static void put_bytes(struct buf *o, const char *what, struct bytes b)
{
	buf_printf(o, " %s=", what);
	buf_escaped(o, b.p, b.len);
}

static void put_num(struct buf *o, const char *what, int64_t v)
{
	buf_printf(o, " %s=%lld", what, (long long)v);
}

static void put_text(struct buf *o, const char *what, const char *s)
{
	buf_printf(o, " %s=%s", what, s == NULL ? "NULL" : s);
}

static void put_name(struct buf *o, const char *what, const struct dname *n)
{
	char text[DNAME_TEXT];

	buf_printf(o, " %s=%s", what, n->len == 0 ? "-" : dname_print(text, n));
}

static void put_set(struct buf *o, const char *what, const struct rrs *s)
{
	buf_printf(o, " %s={", what);
	rrs_print(o, s);
	buf_str(o, "}");
}

static void put_obs(struct buf *o, const struct obs *v)
{
	char ip[IPADDR_TEXT], mac[MAC_TEXT];

	if (v->addr.family == 0) {
		buf_str(o, " -");
		return;
	}
	buf_printf(o, " %s %s mac=%s", ipaddr_print(ip, &v->addr), obs_kind_name(v->kind),
		   mac_print(mac, &v->mac));
	put_bytes(o, "name", v->name);
	put_bytes(o, "client_id", v->client_id);
	put_bytes(o, "duid", v->duid);
	put_bytes(o, "dhcid", v->dhcid);
	put_bytes(o, "raw", v->raw);
	put_num(o, "until", v->valid_until_s);
	put_num(o, "seen", v->seen_at_s);
	put_num(o, "ttl", v->ttl_s);
	put_num(o, "ptr", v->ptr);
	put_num(o, "end", v->end);
}

/* last_seen_s is left out: it moves at most hourly, and not in the same second on both. */
static void put_evidence(struct buf *o, const struct evidence *v)
{
	put_obs(o, &v->obs);
	put_num(o, "source", v->source_id);
	put_num(o, "first", v->first_seen_s);
	put_num(o, "absent", v->absent_since_s);
	put_num(o, "held", v->held);
}

static void put_host(struct buf *o, const struct host *h)
{
	char ip[IPADDR_TEXT], mac[MAC_TEXT];

	buf_printf(o, " %s mac=%s", ipaddr_print(ip, &h->addr), mac_print(mac, &h->id.mac));
	put_name(o, "name", &h->name);
	put_name(o, "asked", &h->asked);
	put_bytes(o, "client_id", h->id.client_id);
	put_bytes(o, "duid", h->id.duid);
	put_bytes(o, "dhcid", h->id.dhcid);
	put_bytes(o, "dhcid_name", h->id.dhcid_name);
	put_num(o, "ptr", h->ptr);
	put_num(o, "kind", h->kind);
	put_num(o, "source", h->source_id);
	put_num(o, "since", h->since_s);
	put_num(o, "expires", h->expires_at_s);
	put_num(o, "ttl", h->ttl_s);
	put_text(o, "why", h->why);
}

static void put_belief(struct buf *o, const struct belief *b)
{
	put_num(o, "zone", b->zone_id);
	put_name(o, "owner", &b->owner);
	put_set(o, "want", &b->want);
	put_set(o, "published", &b->published);
	for (int i = 0; i < b->n_offered; i++) {
		put_set(o, "offered", &b->offered[i]);
		put_num(o, "offered_at", b->offered_at_s[i]);
	}
	put_num(o, "known", b->seen_known);
	put_set(o, "seen", &b->seen);
	put_num(o, "kind", b->want_kind);
	put_num(o, "ttl", b->want_ttl_s);
	put_num(o, "sent_ttl", b->sent_ttl_s);
	put_num(o, "settled_at", b->settled_at_s);
	put_num(o, "removed_at", b->removed_at_s);
	put_num(o, "reverts", b->reverts);
	put_num(o, "state", b->state);
	put_num(o, "decided", b->decided);
	put_num(o, "due", b->due_at_s);
	put_num(o, "attempts", b->attempts);
	put_text(o, "why", b->why);
}

static int by_owner(const void *pa, const void *pb)
{
	const struct belief *a = pa, *b = pb;

	return a->zone_id != b->zone_id ? (a->zone_id < b->zone_id ? -1 : 1)
					: dname_cmp(&a->owner, &b->owner);
}

static void put_beliefs(struct buf *o, struct belief *v, size_t n, bool ordered)
{
	if (!ordered && n > 1)
		qsort(v, n, sizeof(*v), by_owner);
	for (size_t i = 0; i < n; i++) {
		buf_str(o, "\n");
		put_belief(o, &v[i]);
	}
}

static int by_addr_name(const void *pa, const void *pb)
{
	const struct host *a = pa, *b = pb;
	int r = ipaddr_cmp(&a->addr, &b->addr);

	return r != 0 ? r : dname_cmp(&a->name, &b->name);
}

static int by_text(const void *pa, const void *pb)
{
	return strcmp(*(char *const *)pa, *(char *const *)pb);
}

/* Where the header leaves an order open: the answer's lines, sorted. */
static int sort_lines(struct side *s, struct err *e)
{
	VEC(char *) v = {0};
	char *copy = arena_strdup(&s->a, buf_text(&s->out)), *line;
	int r = copy == NULL ? ERR_NOMEM : 0;

	while (r == 0 && (line = strsep(&copy, "\n")) != NULL)
		r = line[0] == '\0' ? 0 : vec_push(&v, line);
	if (v.n > 1)
		qsort(v.v, v.n, sizeof(*v.v), by_text);
	buf_reset(&s->out);
	for (size_t i = 0; i < v.n; i++)
		buf_printf(&s->out, "\n%s", v.v[i]);
	vec_fini(&v);
	return r < 0 ? err_nomem(e) : 0;
}

/* ---- operations: each runs on one side and leaves its answer in out ----------------------- */

/* Arguments are made once and used on both sides. */
struct call {
	struct evidence ev[4];
	struct host hosts[4];
	struct belief beliefs[4];
	struct obs obs[12];
	struct zone_key keys[N_NAMES];
	struct ipaddr addrs[4];
	struct dname names[3];
	struct zone_row zone;
	uint32_t sent_serial;
	bool sent_anew;
	struct source_row source;
	struct brake brake;
	struct journal_line lines[24];
	int32_t zone_id, source_id, brake_zone;
	int64_t stale_s, at_s;
	size_t n, limit;
	bool flag;
};

static int op_evidence_put(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	(void)d;
	return s->st.evidence_put(s->st.ctx, c->ev, c->n, e);
}

static int op_evidence_del(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	(void)d;
	return s->st.evidence_del(s->st.ctx, c->ev, c->n, e);
}

static int op_evidence_get(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct evidence *v;
	size_t n;
	int r = s->st.evidence_get(s->st.ctx, &v, &n, d->space->id, c->addrs, 4, &s->a, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		buf_str(&s->out, "\n");
		put_evidence(&s->out, &v[i]);
	}
	return r;
}

static int op_evidence_due(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct evidence *v;
	size_t n;
	int r = s->st.evidence_due(s->st.ctx, &v, &n, c->source_id, c->at_s, c->stale_s, c->flag,
				   c->limit % 2 == 0 ? &c->addrs[0] : NULL, 100, &s->a, e);

	(void)d;
	for (size_t i = 0; r == 0 && i < n; i++) {
		buf_str(&s->out, "\n");
		put_evidence(&s->out, &v[i]);
	}
	return r;
}

static int op_sources_due(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct source_clock v[2] = {{.id = c->source_id, .stale_after_s = c->stale_s},
				    {.id = d->space->sources[0].id, .stale_after_s = 500}};
	bool gone;
	int r = s->st.sources_due(s->st.ctx, v, 1 + (v[0].id != v[1].id), c->at_s, c->flag, &gone, e);

	for (int i = 0; r == 0 && i < 2; i++)
		put_num(&s->out, "due", v[i].due);
	put_num(&s->out, "gone", r == 0 && gone);
	return r;
}

static int op_hosts_put(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	return s->st.hosts_put(s->st.ctx, d->space->id, c->addrs, 2, c->hosts, c->n, e);
}

static int op_hosts_of_addrs(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct host *v;
	size_t n;
	int r = s->st.hosts_of_addrs(s->st.ctx, &v, &n, d->space->id, c->addrs, 4, &s->a, e);

	if (r == 0 && n > 1)
		qsort(v, n, sizeof(*v), by_addr_name);
	for (size_t i = 0; r == 0 && i < n; i++) {
		buf_str(&s->out, "\n");
		put_host(&s->out, &v[i]);
	}
	return r;
}

static int op_hosts_of_names(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct host *v;
	size_t n;
	int r = s->st.hosts_of_names(s->st.ctx, &v, &n, d->space->id, c->names, 1, &s->a, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		buf_str(&s->out, "\n");
		put_host(&s->out, &v[i]);
	}
	return r;
}

static int op_hosts_waiting(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct ipaddr *v;
	char ip[IPADDR_TEXT];
	size_t n;
	int r = s->st.hosts_waiting(s->st.ctx, &v, &n, d->space->id, c->names, 2, &s->a, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		buf_printf(&s->out, "\n%s", ipaddr_print(ip, &v[i]));
	return r;
}

static int op_names_of_source(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	uint32_t n = 0;
	int r = s->st.names_of_source(s->st.ctx, &n, c->source_id, &d->space->zones[0].name, e);

	put_num(&s->out, "count", n);
	return r;
}

static int op_zone_queue(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct zone_queue q;
	int r = s->st.zone_queue(s->st.ctx, &q, c->zone_id, e);

	(void)d;
	put_num(&s->out, "due", (int64_t)q.due);
	put_num(&s->out, "oldest", q.oldest_s);
	return r;
}

static int op_names_within(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	const struct policy_subnet *sub = &d->space->subnets[c->limit % d->space->n_subnets];
	uint32_t n = 0;
	int r = s->st.names_within(s->st.ctx, &n, d->space->id, &sub->prefix, e);

	put_num(&s->out, "count", n);
	return r;
}

/* As who has read the rows first. */
static int op_beliefs_put(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct belief *put = arena_array(&s->a, c->n + 1, sizeof(*put)), *had;
	size_t i, k, n;
	int r = 0;

	(void)d;
	for (i = 0; i < c->n && r == 0; i++) {
		struct zone_key key = {c->beliefs[i].zone_id, c->beliefs[i].owner};

		put[i] = c->beliefs[i];
		r = s->st.beliefs_get(s->st.ctx, &had, &n, &key, 1, &s->a, e);
		for (k = 0; r == 0 && k < n; k++)
			put[i].version = had[k].version;
	}
	return r < 0 ? r : s->st.beliefs_put(s->st.ctx, put, c->n, e);
}

static int op_beliefs_get(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct belief *v;
	size_t n;
	int r = s->st.beliefs_get(s->st.ctx, &v, &n, c->keys, N_NAMES, &s->a, e);

	(void)d;
	if (r == 0)
		put_beliefs(&s->out, v, n, false);
	return r;
}

/* What is due is listed and settled; with flag one of them is written in between. */
static int op_settle(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct due_page page = {.zone_id = c->zone_id};
	struct belief *v, other;
	bool done[16] = {false};
	size_t n, i;
	int r = s->st.beliefs_due(s->st.ctx, &page, 1, c->at_s, c->limit < 16 ? c->limit : 16, &s->a,
				  e);

	(void)d;
	v = page.v;
	n = page.n;
	if (r < 0 || n == 0)
		return r;
	if (c->flag) {
		other = v[n - 1];
		other.want_ttl_s++;
		r = s->st.beliefs_put(s->st.ctx, &other, 1, e);
	}
	for (i = 0; i < n; i++) {
		v[i].published = v[i].want.n > 0 ? v[i].want : v[i].published;
		v[i].seen = v[i].published;
		v[i].n_offered = (uint8_t)(i % 2 < v[i].n_offered ? 1 : 0);
		v[i].state = BELIEF_STEP;
		v[i].due_at_s = 0;
		v[i].settled_at_s = c->at_s;
	}
	for (i = 0; i < n && r == 0; i++) {
		if (v[i].want.n > 0 && i % 3 == 0)
			r = s->st.beliefs_proven(s->st.ctx, &v[i], 1, c->at_s, &done[i], e);
		else if (!belief_is_empty(&v[i]))
			r = s->st.beliefs_settle(s->st.ctx, &v[i], 1, &done[i], e);
		put_num(&s->out, "settled", done[i]);
	}
	return r;
}

static int op_beliefs_due(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	/* The zone, and from the start on the one that is the first of all. */
	struct due_page pages[2] = {{.zone_id = c->zone_id,
				     .after = c->flag ? &c->beliefs[0] : NULL},
				    {.zone_id = c->beliefs[0].zone_id}};
	size_t i, n = 1 + (pages[0].zone_id != pages[1].zone_id);
	int r = s->st.beliefs_due(s->st.ctx, pages, n, c->at_s, c->limit, &s->a, e);

	(void)d;
	for (i = 0; r == 0 && i < n; i++)
		put_beliefs(&s->out, pages[i].v, pages[i].n, true);
	return r;
}

static int op_guarding(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct belief *v;
	size_t n;
	int r = s->st.beliefs_guarding(s->st.ctx, &v, &n, c->zone_id, &s->a, e);

	(void)d;
	if (r == 0)
		put_beliefs(&s->out, v, n, false);
	return r;
}

struct walk {
	struct side *s;
	VEC(struct belief) v;
};

static int walk_cb(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e)
{
	struct walk *w = arg;
	struct belief b = {.owner = *owner};

	if (rrs_dup(&b.seen, &w->s->a, seen) < 0 || vec_push(&w->v, b) < 0)
		return err_nomem(e);
	return 0;
}

static int op_seen_walk(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct walk w = {.s = s};
	int r = s->st.seen_walk(s->st.ctx, c->zone_id, walk_cb, &w, e);

	(void)d;
	if (w.v.n > 1)
		qsort(w.v.v, w.v.n, sizeof(*w.v.v), by_owner);
	for (size_t i = 0; r == 0 && i < w.v.n; i++) {
		if (w.v.v[i].seen.n == 0)  /* shown or not: both say "not there" */
			continue;
		put_name(&s->out, "owner", &w.v.v[i].owner);
		put_set(&s->out, "seen", &w.v.v[i].seen);
	}
	vec_fini(&w.v);
	return r;
}

static int op_zone_put(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	(void)d;
	return s->st.zone_put(s->st.ctx, &c->zone, e);
}

static int op_zone_sent(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	(void)d;
	return s->st.zone_sent(s->st.ctx, c->zone_id, c->sent_serial, c->sent_anew, e);
}

static int op_zone_get(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct zone_row z;
	int r = s->st.zone_get(s->st.ctx, &z, &s->a, c->zone_id, e);

	(void)d;
	if (r < 0)
		return r;
	put_num(&s->out, "known", z.known);
	put_num(&s->out, "asked", z.asked);
	put_num(&s->out, "restored", z.restored);
	put_num(&s->out, "serial", z.serial);
	put_num(&s->out, "pulled", z.pulled_at_s);
	put_num(&s->out, "full", z.full_at_s);
	put_num(&s->out, "read", z.read_at_s);
	put_num(&s->out, "sent", z.sent_known ? (int64_t)z.sent_serial : -1);
	put_text(&s->out, "error", z.last_error);
	return 0;
}

static int op_zones_looked(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	const struct policy_zone *z = d->space->zones;
	struct zone_look v[2] = {{.id = c->zone_id, .serial = c->sent_serial},
				 {.id = z[z[0].id == c->zone_id].id, .serial = c->zone.serial}};
	int r = s->st.zones_looked(s->st.ctx, v, 2, c->at_s, c->at_s - 2000, e);

	for (int i = 0; r == 0 && i < 2; i++)
		put_num(&s->out, "current", v[i].current);
	return r;
}

static int op_source_put(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	(void)d;
	return s->st.source_put(s->st.ctx, &c->source, e);
}

static int op_source_get(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct source_row v;
	int r = s->st.source_get(s->st.ctx, &v, &s->a, c->source_id, e);

	(void)d;
	if (r < 0)
		return r;
	put_text(&s->out, "cursor", v.cursor);
	put_num(&s->out, "ok", v.last_ok_s);
	put_num(&s->out, "try", v.last_try_s);
	put_text(&s->out, "error", v.last_error);
	put_num(&s->out, "rows", (int64_t)v.rows);
	put_num(&s->out, "bad", (int64_t)v.bad);
	return 0;
}

static int op_brake(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct brake b;
	int r = s->st.brake_get(s->st.ctx, &b, c->brake_zone, c->source_id, e);

	(void)d;
	put_num(&s->out, "window", b.window_s);
	put_num(&s->out, "names", b.names);
	put_num(&s->out, "used", b.used);
	return r < 0 ? r : s->st.brake_put(s->st.ctx, &c->brake, c->brake_zone, c->source_id, e);
}

static int op_totals(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct store_totals t;
	int r = s->st.totals(s->st.ctx, &t, e);

	(void)d, (void)c;
	put_num(&s->out, "held", (int64_t)t.held);
	for (int i = 0; i < BELIEF_STATES; i++)
		put_num(&s->out, belief_state_name((enum belief_state)i), (int64_t)t.owners[i]);
	return r;
}

static int op_journal(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	(void)d;
	return s->st.journal(s->st.ctx, c->lines, c->limit * 4, e);
}

static int op_journal_last(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct past_line *v;
	size_t n;
	int r = s->st.journal_last(s->st.ctx, &v, &n, c->keys, N_NAMES, &s->a, e);

	(void)d;
	for (size_t i = 0; r == 0 && i < n; i++) {
		buf_printf(&s->out, "\n %zu %s", v[i].key, v[i].event);
		put_text(&s->out, "before", v[i].before);
		put_text(&s->out, "after", v[i].after);
	}
	return r;
}

/* Stage, differences, and all of them handed out. */
static int op_stage(struct diff *d, struct side *s, const struct call *c, struct err *e)
{
	struct obs_change *v;
	uint64_t total = 0;
	size_t n = 1;
	int r = s->st.stage_begin(s->st.ctx, c->source_id, e);

	r = r < 0 ? r : s->st.stage_add(s->st.ctx, c->obs, c->n, e);
	r = r < 0 ? r : s->st.stage_add(s->st.ctx, c->obs + c->n, 4, e);
	r = r < 0 ? r : s->st.stage_diff(s->st.ctx, c->flag, d->now_s, &total, e);
	put_num(&s->out, "total", (int64_t)total);
	while (r == 0 && n > 0) {
		r = s->st.stage_next(s->st.ctx, &v, &n, c->limit, &s->a, e);
		for (size_t i = 0; r == 0 && i < n; i++) {
			buf_printf(&s->out, "\n change %d", (int)v[i].change);
			put_evidence(&s->out, &v[i].had);
			put_obs(&s->out, &v[i].got);
		}
	}
	/* in order of address; what one address has comes in any order */
	return r < 0 ? r : sort_lines(s, e);
}

static const struct op {
	const char *name;
	int (*run)(struct diff *d, struct side *s, const struct call *c, struct err *e);
} ops[] = {
	{"evidence_put", op_evidence_put},   {"evidence_put", op_evidence_put},
	{"evidence_del", op_evidence_del},   {"evidence_get", op_evidence_get},
	{"evidence_due", op_evidence_due},   {"hosts_put", op_hosts_put},
	{"hosts_put", op_hosts_put},         {"hosts_of_addrs", op_hosts_of_addrs},
	{"hosts_of_names", op_hosts_of_names}, {"names_of_source", op_names_of_source},
	{"names_within", op_names_within},   {"sources_due", op_sources_due},
	{"zone_queue", op_zone_queue},
	{"hosts_waiting", op_hosts_waiting},
	{"beliefs_put", op_beliefs_put},     {"beliefs_put", op_beliefs_put},
	{"beliefs_get", op_beliefs_get},     {"beliefs_due", op_beliefs_due},
	{"settle", op_settle},
	{"beliefs_guarding", op_guarding},   {"seen_walk", op_seen_walk},
	{"zone_put", op_zone_put},           {"zone_get", op_zone_get},
	{"zone_sent", op_zone_sent},         {"zones_looked", op_zones_looked},
	{"source_put", op_source_put},       {"source_get", op_source_get},
	{"brake", op_brake},                 {"totals", op_totals},
	{"journal", op_journal},             {"journal_last", op_journal_last},
	{"stage", op_stage},                 {"stage", op_stage},
};

static struct journal_line some_line(struct diff *d, const struct call *c)
{
	return (struct journal_line){.at_s = d->now_s, .space_id = d->space->id,
				     .zone_id = below(d, 5) == 0 ? 0 : some_zone(d),
				     .owner = below(d, 5) == 0 ? NULL : &c->names[below(d, 3)],
				     .addr = &c->addrs[0],
				     .event = below(d, 2) ? "done" : "conflict",
				     .before = some_text(d), .after = some_text(d), .rcode = -1,
				     .why = some_text(d)};
}

/* ---- the driver --------------------------------------------------------------------------- */

static void fill_call(struct diff *d, struct call *c)
{
	const struct policy_source *src = some_source(d);
	size_t first = below(d, N_NAMES);

	c->source_id = src->id;
	c->zone_id = some_zone(d);
	c->brake_zone = below(d, 3) == 0 ? -d->space->subnets[0].id : c->zone_id;
	c->n = below(d, 5);
	c->limit = 1 + below(d, 6);
	c->flag = below(d, 2);
	c->stale_s = below(d, 2) * 1000;
	c->at_s = d->now_s - 1000 + below(d, 2000);
	for (int i = 0; i < 4; i++) {
		c->ev[i] = some_evidence(d);  /* a key only once in a call, here too */
		c->ev[i].obs.addr = d->addrs[(first + (size_t)i) % N_ADDRS];
		c->beliefs[i] = some_belief(d);
		c->beliefs[i].owner = d->names[(first + (size_t)i) % N_NAMES];
		c->addrs[i] = d->addrs[(first + (size_t)i) % N_ADDRS];
	}
	for (size_t i = 0; i < 4; i++)  /* one address and name only once */
		c->hosts[i] = some_host(d, &c->addrs[i % 2], (first + i) % N_NAMES);
	c->hosts[2].name = d->names[(first + 2) % N_NAMES];
	c->hosts[3].name = d->names[(first + 3) % N_NAMES];
	for (int i = 0; i < 12; i++)
		c->obs[i] = below(d, 2) ? plain_obs(d, src) : some_obs(d, src);
	c->obs[3].end = c->obs[7].end = true;
	c->obs[3].end_why = c->obs[7].end_why = "released";
	for (int i = 0; i < N_NAMES; i++)
		c->keys[i] = (struct zone_key){c->zone_id, d->names[i]};
	for (int i = 0; i < 3; i++)
		c->names[i] = d->names[(first + (size_t)i) % N_NAMES];
	/* A zone that is known stays so; and rows of before keep their reading. */
	c->zone = (struct zone_row){.id = c->zone_id, .known = true, .asked = below(d, 4) == 0,
				    .restored = below(d, 8) == 0,
				    .serial = below(d, 9) << 29,
				    .pulled_at_s = some_time(d), .full_at_s = some_time(d),
				    .read_at_s = some_time(d), .last_error = some_text(d)};
	c->sent_serial = below(d, 9) << 29;
	c->sent_anew = below(d, 4) == 0;
	c->source = (struct source_row){.id = c->source_id, .cursor = some_text(d),
					.last_ok_s = some_time(d), .last_try_s = some_time(d),
					.last_error = some_text(d), .rows = below(d, 9),
					.bad = below(d, 3)};
	c->brake = (struct brake){some_time(d), below(d, 100), below(d, 100)};
	for (int i = 0; i < 24; i++)
		c->lines[i] = some_line(d, c);
}

static bool fail(const char *what, uint64_t no, struct side *s)
{
	printf("operation %llu, %s: the stores differ\nmemory:%s\npostgresql:%s\n",
	       (unsigned long long)no, what, buf_text(&s[0].out), buf_text(&s[1].out));
	return false;
}

static bool run_op(struct diff *d, const struct op *op, uint64_t no)
{
	struct call c = {0};
	int r[2];

	fill_call(d, &c);
	for (int i = 0; i < 2; i++) {
		struct err e = {0};

		buf_reset(&d->side[i].out);
		r[i] = op->run(d, &d->side[i], &c, &e);
		if (r[i] < 0)
			buf_printf(&d->side[i].out, " error %d: %s", r[i], e.text);
		arena_reset(&d->side[i].a);
	}
	if (r[0] != 0 || r[1] != 0 ||
	    strcmp(buf_text(&d->side[0].out), buf_text(&d->side[1].out)) != 0)
		return fail(op->name, no, d->side);
	return true;
}

/* A transaction begins, or ends well or badly, on both. */
static bool turn(struct diff *d, uint64_t no)
{
	bool back = below(d, 3) == 0;
	int r[2] = {0, 0};

	for (int i = 0; i < 2; i++) {
		struct flow_store *st = &d->side[i].st;
		struct err e = {0};

		buf_reset(&d->side[i].out);
		if (!d->in_tx)
			r[i] = st->begin(st->ctx, &e);
		else if (back)
			st->rollback(st->ctx);
		else
			r[i] = st->commit(st->ctx, &e);
		if (r[i] == 0 && !d->in_tx)
			r[i] = st->lock_space(st->ctx, d->space->id, &e);
		buf_printf(&d->side[i].out, " %d %s", r[i], e.text);
	}
	d->in_tx = !d->in_tx;
	return r[0] == 0 && r[1] == 0 ? true : fail("transaction", no, d->side);
}

static bool run(struct diff *d, uint64_t count)
{
	for (uint64_t no = 1; no <= count; no++) {
		const struct op *op = &ops[below(d, sizeof(ops) / sizeof(ops[0]))];

		if (below(d, 8) == 0 && !turn(d, no))
			return false;
		/* Everything but staging belongs into a transaction, as flow does it. */
		if (d->in_tx == (op->run == op_stage) && !turn(d, no))
			return false;
		if (!run_op(d, op, no))
			return false;
		d->now_s += below(d, 300);
		arena_reset(&d->a);
	}
	return true;
}

static int open_both(struct diff *d, struct pg **pg, struct store **store, struct err *e)
{
	const char *conninfo = getenv("IPAMBRIDGE_TEST_DB");
	unsigned n;
	int r;

	if (conninfo == NULL)
		return err_set(e, ERR_CONF, "IPAMBRIDGE_TEST_DB is not set: nothing was compared");
	r = pg_open(pg, conninfo, "differential", 30, e);
	r = r < 0 ? r : pg_script(*pg, "drop schema if exists ipambridge cascade", e);
	r = r < 0 ? r : db_init(*pg, &n, e);
	r = r < 0 ? r : store_open(store, *pg, e);
	/* The ids of the database replace those of the world, on both sides. */
	r = r < 0 ? r : store_sync_policy(*store, &d->w.policy, e);
	if (r < 0)
		return r;
	d->side[0].st = d->w.bridge[0].store;
	d->side[1].st = store_flow(*store);
	return 0;
}

static void make_pools(struct diff *d)
{
	char text[DNAME_TEXT];

	for (int i = 0; i < N_ADDRS; i++)
		d->addrs[i] = d->w.leases[i * 2 % N_LEASES].addr;
	for (int i = 0; i < N_NAMES; i++) {
		int n = snprintf(text, sizeof(text), "%s.lab.example", labels[i]);

		if (!dname_parse(&d->names[i], text, (size_t)n))
			abort();
	}
}

int main(int argc, char **argv)
{
	static struct diff d;
	uint64_t seed = 1, count = 10000;
	struct store *store = NULL;
	struct pg *pg = NULL;
	struct err e = {0};
	bool ok = false;
	int c;

	while ((c = getopt(argc, argv, "s:n:")) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (c == 'n')
			count = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (!world_init(&d.w, seed, 0))
		return 1;
	d.rng.state = seed;
	d.space = &d.w.space;
	d.now_s = START_S;
	make_pools(&d);
	if (open_both(&d, &pg, &store, &e) < 0)
		fprintf(stderr, "differential: %s\n", e.text);
	else
		ok = run(&d, count);
	if (ok)
		printf("%llu operations agree\n", (unsigned long long)count);
	else if (store != NULL)
		printf("replay: %s -s %llu -n %llu\n", argv[0], (unsigned long long)seed,
		       (unsigned long long)count);
	store_close(store);
	pg_close(pg);
	world_fini(&d.w);
	for (int i = 0; i < 2; i++) {
		arena_fini(&d.side[i].a);
		buf_fini(&d.side[i].out);
	}
	arena_fini(&d.a);
	return ok ? 0 : 1;
}
