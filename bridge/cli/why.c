/* why.c - why a name or an address is what it is, from the first sighting to DNS as it is now. */

#include "bridge/cli/cli.h"

#include <string.h>

#include "bridge/base/own.h"
#include "bridge/base/vec.h"
#include "bridge/cli/output.h"
#include "bridge/report/owners.h"
#include "bridge/report/journal.h"
#include "bridge/value/base64.h"

enum { JOURNAL_LINES = 50, NAMES_MAX = 256 };

struct why {
	struct session s;
	struct report_filter filter;
	VEC(struct ipaddr) addrs;
	VEC(struct dname) names;    /* forward and reverse */
	struct arena arena;
	bool bad;                   /* memory ran out in a callback */
	json_t *sightings, *decisions, *owners, *journal;
};

static void why_fini(struct why *w)
{
	vec_fini(&w->addrs);
	vec_fini(&w->names);
	arena_fini(&w->arena);
	json_decref(w->sightings);
	json_decref(w->decisions);
	json_decref(w->owners);
	json_decref(w->journal);
	session_fini(&w->s);
}

/* ---- the subject: which names and addresses belong to what was typed -------------------- */

static void add_name(struct why *w, const struct dname *n)
{
	for (size_t i = 0; i < w->names.n; i++) {
		if (dname_equal(&w->names.v[i], n))
			return;
	}
	if (n->len > 0 && w->names.n < NAMES_MAX && vec_push(&w->names, *n) < 0)
		w->bad = true;
}

static void add_addr(struct why *w, const struct ipaddr *a)
{
	const struct policy *p = once_policy(w->s.once);
	struct dname reverse;
	for (size_t i = 0; i < w->addrs.n; i++) {
		if (ipaddr_cmp(&w->addrs.v[i], a) == 0)
			return;
	}
	if (w->addrs.n < NAMES_MAX && vec_push(&w->addrs, *a) < 0)
		w->bad = true;
	for (size_t i = 0; i < p->n_spaces; i++) {
		policy_ptr_name(&reverse, &p->spaces[i], a);
		add_name(w, &reverse);
	}
}

static void related(void *arg, const struct report_decision *d)
{
	struct why *w = arg;
	add_addr(w, &d->addr);
	add_name(w, &d->name);
	add_name(w, &d->asked);
}

/* A single label may stand below every forward zone. */
static void add_qualified(struct why *w, const struct dname *n)
{
	const struct policy *p = once_policy(w->s.once);
	for (size_t i = 0; i < p->n_spaces; i++) {
		for (size_t k = 0; k < p->spaces[i].n_zones; k++) {
			struct dname full;
			const struct policy_zone *z = &p->spaces[i].zones[k];
			if (!z->is_reverse && dname_prepend(&full, n->b + 1, n->b[0], &z->name))
				add_name(w, &full);
		}
	}
}

static int find_subject(struct why *w, const char *typed, struct err *e)
{
	struct ipaddr a;
	struct dname n;
	if (ipaddr_parse(&a, typed, strlen(typed)))
		add_addr(w, &a);
	else if (!dname_parse(&n, typed, strlen(typed)))
		return err_set(e, ERR_CONF, "\"%.255s\" is neither a name nor an address", typed);
	else if (policy_named_addr(&a, once_policy(w->s.once), &n))
		add_addr(w, &a);
	else if (dname_labels(&n) == 1)
		add_qualified(w, &n);
	else
		add_name(w, &n);
	if (w->bad)
		return err_nomem(e);
	/* related() grows the arrays: the question is a copy of them. */
	struct report_subject s = {.n_addrs = w->addrs.n, .n_names = w->names.n};
	s.addrs = arena_dup(&w->arena, w->addrs.v, s.n_addrs * sizeof(*w->addrs.v));
	s.names = arena_dup(&w->arena, w->names.v, s.n_names * sizeof(*w->names.v));
	if (s.addrs == NULL || s.names == NULL)
		return err_nomem(e);
	return report_decisions(once_pg(w->s.once), &w->filter, &s, related, w, e);
}

/* ---- rows ------------------------------------------------------------------------------- */

static void append(struct why *w, json_t *to, json_t *v)
{
	if (json_array_append_new(to, v) < 0)
		w->bad = true;
}

static json_t *hex(struct bytes b)
{
	struct buf t = BUF_INIT;
	for (size_t i = 0; i < b.len; i++)
		buf_printf(&t, "%02x", b.p[i]);
	json_t *v = b.len == 0 ? json_null() : json_string(buf_text(&t));
	buf_fini(&t);
	return v;
}

static json_t *base64(struct bytes b)
{
	struct buf t = BUF_INIT;
	base64_print(&t, b.p, b.len);
	json_t *v = b.len == 0 ? json_null() : json_string(buf_text(&t));
	buf_fini(&t);
	return v;
}

static void sighting(void *arg, const struct report_sighting *r)
{
	struct why *w = arg;
	append(w, w->sightings,
	       json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:b,s:o}",
			 "space", js_text(r->space), "address", js_addr(&r->addr), "source",
			 js_text(r->source), "kind", js_text(r->kind), "name", js_bytes(r->name),
			 "mac", js_mac(&r->mac), "client_id", hex(r->client_id), "duid",
			 hex(r->duid), "dhcid", base64(r->dhcid), "ttl",
			 js_num_or_null(r->ttl_s), "ptr", r->ptr, "first_seen",
			 js_time(r->first_seen_s), "last_seen", js_time(r->last_seen_s),
			 "expires_at", js_time(r->valid_until_s), "absent_since",
			 js_time(r->absent_since_s), "held", r->held, "raw", js_bytes(r->raw)));
}

static void decision(void *arg, const struct report_decision *r)
{
	struct why *w = arg;
	append(w, w->decisions,
	       json_pack("{s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:o}", "space", js_text(r->space),
			 "address", js_addr(&r->addr), "name", js_name(&r->name), "asked",
			 js_name(&r->asked), "ptr", r->ptr, "kind", js_text(r->kind), "source",
			 js_text(r->source), "since", js_time(r->since_s), "expires_at",
			 js_time(r->expires_at_s), "why", js_text(r->why)));
}

static void journal(void *arg, const struct report_journal *r)
{
	struct why *w = arg;
	append(w, w->journal,
	       json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "at", js_time(r->at_s),
			 "space", js_text(r->space), "zone", js_text(r->zone), "owner",
			 js_text(r->owner), "address", js_addr(&r->addr), "event",
			 js_text(r->event), "before", js_set(r->before), "after",
			 js_set(r->after), "rcode",
			 r->rcode < 0 ? json_null() : js_text(rcode_name((unsigned)r->rcode)),
			 "why", js_text(r->why)));
}

/* ---- DNS as it is now ------------------------------------------------------------------- */

static json_t *ask(struct why *w, const struct policy_zone *z, const struct dname *owner)
{
	struct err e = {0};
	struct net_look look = {.owner = owner};
	struct flow_net *net = once_flow(w->s.once)->net;
	if (net == NULL || net->query == NULL)
		return json_pack("{s:n,s:s}", "records", "error", "there is no server to ask");
	if (net->query(net->ctx, z, &look, 1, &w->arena, &e) < 0 || !look.got)
		return json_pack("{s:n,s:o}", "records", "error", js_text(e.text));
	return json_pack("{s:o,s:n}", "records", js_rrs(&look.seen, 0), "error");
}

static json_t *offers(const struct belief *b)
{
	json_t *a = json_array();
	for (size_t i = 0; i < b->n_offered; i++)
		json_array_append_new(a, js_rrs(&b->offered[i], 0));
	return a;
}

static void owner(void *arg, const struct report_owner *r)
{
	struct why *w = arg;
	const struct belief *b = &r->belief;
	append(w, w->owners,
	       json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "space",
			 js_text(r->space), "view", js_text(r->zone->view), "zone",
			 js_text(r->zone->text), "owner", js_name(&b->owner), "state",
			 b->zone_id == 0 ? json_null() : js_text(belief_state_name(b->state)),
			 "why", js_text_or(b->why, NULL),
			 "wanted", js_rrs(&b->want, 0), "published", js_rrs(&b->published, 0),
			 "offered", offers(b), "seen",
			 b->seen_known ? js_rrs(&b->seen, 0) : json_null(), "ttl",
			 js_num_or_null(b->want_ttl_s), "due_at", js_time(b->due_at_s), "dns",
			 ask(w, r->zone, &b->owner)));
}

static bool is_text(const json_t *row, const char *key, const char *text)
{
	const char *v = json_string_value(json_object_get(row, key));
	return v != NULL && strcmp(v, text) == 0;
}

static bool has_owner(const struct why *w, const struct policy_space *s,
		      const struct policy_zone *z, const struct dname *n)
{
	size_t i;
	json_t *v;
	char t[DNAME_TEXT];
	dname_print(t, n);
	json_array_foreach(w->owners, i, v) {
		const char *view = json_string_value(json_object_get(v, "view"));
		if (is_text(v, "space", s->name) && is_text(v, "zone", z->text) &&
		    is_text(v, "owner", t) && strcmp(view != NULL ? view : "", z->view) == 0)
			return true;
	}
	return false;
}

/* Of several leases of a host the zone may show only the newest. */
static bool has_newer(const struct why *w, const struct policy_space *s, const struct dname *n)
{
	size_t i;
	json_t *v;
	char ip[IPADDR_TEXT];
	struct ipaddr a;
	if (!ipaddr_from_reverse(&a, n))
		return false;
	ipaddr_print(ip, &a);
	json_array_foreach(w->decisions, i, v) {
		const char *name = json_string_value(json_object_get(v, "name"));
		const struct policy_zone *z = NULL;
		struct dname d;
		if (name != NULL && dname_parse(&d, name, strlen(name)))
			z = policy_zone_of(s, &d, false);
		if (z != NULL && z->addresses == ADDRESSES_NEWEST &&
		    is_text(v, "space", s->name) && is_text(v, "address", ip) &&
		    is_text(v, "kind", "lease") && json_is_true(json_object_get(v, "ptr")))
			return true;
	}
	return false;
}

/* Names that we believe nothing about may still be in DNS: rows of zone 0, without a state. */
static void unknown_owners(struct why *w)
{
	const struct policy *p = once_policy(w->s.once);
	for (size_t i = 0; i < p->n_spaces; i++) {
		const struct policy_space *s = &p->spaces[i];
		if (w->filter.space != NULL && strcmp(w->filter.space, s->name) != 0)
			continue;
		for (size_t k = 0; k < w->names.n; k++) {
			const struct dname *n = &w->names.v[k];
			const struct policy_zone *z = policy_zone_of(s, n, false);
			if (z == NULL)
				z = policy_zone_of(s, n, true);
			if (z == NULL || has_owner(w, s, z, n) ||
			    (w->filter.view != NULL && strcmp(w->filter.view, z->view) != 0))
				continue;
			struct report_owner r = {.space = s->name, .zone = z};
			r.belief.owner = *n;
			r.belief.why = has_newer(w, s, n) ? "a newer lease of the host has the name"
							  : "nothing is wanted or published here";
			owner(w, &r);
		}
	}
}

static int gather(struct why *w, const char *typed, struct err *e)
{
	struct pg *pg = once_pg(w->s.once);
	int r = find_subject(w, typed, e);
	if (r < 0)
		return r;
	struct report_subject s = {w->addrs.v, w->addrs.n, w->names.v, w->names.n};
	struct report_journal_filter lines = {
	    .space = w->filter.space, .limit = JOURNAL_LINES, .about = &s};
	if ((r = report_sightings(pg, &w->filter, s.addrs, s.n_addrs, sighting, w, e)) < 0 ||
	    (r = report_decisions(pg, &w->filter, &s, decision, w, e)) < 0 ||
	    (r = report_owners_named(pg, once_policy(w->s.once), &w->filter, s.names, s.n_names,
				     owner, w, e)) < 0 ||
	    (r = report_journal(pg, &lines, journal, w, e)) < 0)
		return r;
	unknown_owners(w);
	return w->bad ? err_nomem(e) : 0;
}

/* ---- for people ------------------------------------------------------------------------- */

/* "WORD value" when there is a value. */
static void part(struct buf *b, const char *word, const json_t *row, const char *key)
{
	const json_t *v = json_object_get(row, key);
	if (v == NULL || json_is_null(v) || json_is_false(v) ||
	    (json_is_array(v) && json_array_size(v) == 0))
		return;
	buf_str(b, word);
	if (!json_is_true(v))
		out_flat(b, v);
}

static void end_line(struct buf *b)
{
	puts(buf_text(b));
	buf_reset(b);
}

static void print_sightings(const json_t *rows, struct buf *b)
{
	size_t i;
	json_t *v;
	puts(json_array_size(rows) > 0 ? "sightings:" : "sightings: none");
	json_array_foreach((json_t *)(uintptr_t)rows, i, v) {
		part(b, "  ", v, "address");
		part(b, "  ", v, "kind");
		part(b, " by source ", v, "source");
		part(b, ", name ", v, "name");
		part(b, ", mac ", v, "mac");
		part(b, ", DHCID ", v, "dhcid");
		part(b, ", last seen ", v, "last_seen");
		part(b, ", until ", v, "expires_at");
		part(b, ", absent since ", v, "absent_since");
		part(b, ", HELD by the brake", v, "held");
		end_line(b);
		part(b, "    in its words: ", v, "raw");
		if (b->len > 0)
			end_line(b);
	}
}

static void print_decisions(const json_t *rows, struct buf *b)
{
	size_t i;
	json_t *v;
	puts(json_array_size(rows) > 0 ? "decision:" : "decision: none");
	json_array_foreach((json_t *)(uintptr_t)rows, i, v) {
		bool named = !json_is_null(json_object_get(v, "name"));
		part(b, "  ", v, "address");
		buf_str(b, named ? " is " : "");
		part(b, "", v, "name");
		part(b, " (PTR)", v, "ptr");
		part(b, " since ", v, "since");
		part(b, ": ", v, "why");
		end_line(b);
	}
}

static void print_owners(const json_t *rows, struct buf *b)
{
	static const char *const set[] = {"wanted", "published", "offered", "seen"};
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)rows, i, v) {
		part(b, "", v, "owner");
		part(b, " in zone ", v, "zone");
		part(b, ": ", v, "state");
		part(b, ", ", v, "why");
		end_line(b);
		bool believed = !json_is_null(json_object_get(v, "state"));
		for (size_t k = 0; believed && k < sizeof(set) / sizeof(set[0]); k++) {
			buf_printf(b, "  %-10s ", set[k]);
			size_t empty = b->len;
			part(b, "", v, set[k]);
			if (b->len == empty)
				buf_str(b, json_is_null(json_object_get(v, set[k])) ? "not known"
										     : "nothing");
			end_line(b);
		}
		const json_t *dns = json_object_get(v, "dns");
		buf_str(b, "  DNS now    ");
		size_t empty = b->len;
		part(b, "", dns, "records");
		part(b, "could not be asked: ", dns, "error");
		if (b->len == empty)
			buf_str(b, "nothing");
		end_line(b);
	}
}

static void print_journal(const json_t *rows, struct buf *b)
{
	size_t i;
	json_t *v;
	puts(json_array_size(rows) > 0 ? "journal:" : "journal: nothing");
	json_array_foreach((json_t *)(uintptr_t)rows, i, v) {
		part(b, "  ", v, "at");
		part(b, " ", v, "event");
		part(b, " ", v, "owner");
		part(b, " ", v, "address");
		part(b, ": ", v, "rcode");
		part(b, "; before ", v, "before");
		part(b, "; after ", v, "after");
		part(b, "; ", v, "why");
		end_line(b);
	}
}

static int print(const struct why *w, const struct cli *c, struct err *e)
{
	if (c->json)
		return out_object(stdout,
				  json_pack("{s:o,s:O,s:O,s:O,s:O}", "query", js_text(c->arg[0]),
					    "sightings", w->sightings, "decisions", w->decisions,
					    "owners", w->owners, "journal", w->journal), e);
	struct buf b = BUF_INIT;
	print_sightings(w->sightings, &b);
	print_decisions(w->decisions, &b);
	print_owners(w->owners, &b);
	print_journal(w->journal, &b);
	buf_fini(&b);
	return fflush(stdout) != 0 ? err_set(e, ERR_SYS, "standard output could not be written")
				   : 0;
}

int verb_why(struct cli *c)
{
	struct err e = {0};
	AUTO(why_fini) struct why w = {.filter = {c->space, c->view}};
	w.sightings = json_array();
	w.decisions = json_array();
	w.owners = json_array();
	w.journal = json_array();
	if (session_open(&w.s, c, "why", true, &e) < 0 || gather(&w, c->arg[0], &e) < 0 ||
	    print(&w, c, &e) < 0)
		return cli_fail(&e);
	return EXIT_DONE;
}
