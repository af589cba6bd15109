/* naming.c - the naming rule, the choice among kinds of evidence, and who is the same host. */
#include <stdio.h>
#include <string.h>

#include <fnmatch.h>
#include <openssl/sha.h>

#include "bridge/base/err.h"
#include "bridge/core/naming.h"

int host_by_name(const void *a, const void *b)
{
	const struct host *x = a, *y = b;
	int d = dname_cmp(&x->name, &y->name);

	if (d == 0)
		d = (x->since_s > y->since_s) - (x->since_s < y->since_s);
	return d != 0 ? d : ipaddr_cmp(&x->addr, &y->addr);
}

/* First labels that no client may take: found by software rather than by people (WPAD and ISATAP
 * are Microsoft's own block list), or what a zone's infrastructure is called. */
static const char *const protected_labels[] = {
    "autoconfig", "autodiscover", "broadcasthost", "dns",     "gateway", "isatap",
    "kerberos",   "kms",          "ldap",          "localhost", "ns",      "ntp",
    "router",     "smtp",         "wpad",          "www",
};

/* ---- the rule --------------------------------------------------------------------------- */

static bool is_ldh(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* One byte as the rule wants it; 0: refused. */
static uint8_t clean_byte(uint8_t c, bool person)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c + 32);
	if (c == ' ' || c == '_')
		return '-';
	if (is_ldh(c) || c == '.' || (person && c == '*'))
		return c;
	return 0;
}

static const char *label_fault(const uint8_t *l, size_t len)
{
	if (len == 0)
		return "a label is empty";
	if (len > 63)
		return "a label has more than 63 bytes";
	if (l[0] == '-' || l[len - 1] == '-')
		return "a label starts or ends with \"-\"";
	return NULL;
}

/* Checks all labels of the cleaned text. */
static const char *labels_fault(const uint8_t *s, size_t len)
{
	size_t from = 0, i;
	const char *why;

	for (i = 0; i <= len; i++) {
		if (i < len && s[i] != '.')
			continue;
		why = label_fault(s + from, i - from);
		if (why != NULL)
			return why;
		from = i + 1;
	}
	return NULL;
}

/* A name that is only digits and dots reads as an address everywhere. */
static bool looks_like_address(const uint8_t *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] != '.' && (s[i] < '0' || s[i] > '9'))
			return false;
	}
	return true;
}

static bool is_protected(const struct policy_space *space, const struct dname *name,
			 const char *label, enum obs_kind kind)
{
	char text[DNAME_TEXT];
	size_t i;

	for (i = 0; kind != OBS_MANUAL && i < sizeof(protected_labels) / sizeof(protected_labels[0]);
	     i++) {
		if (strcmp(protected_labels[i], label) == 0)
			return true;
	}
	/* ns1, ns2, dns1 ... */
	if (kind != OBS_MANUAL && (strncmp(label, "ns", 2) == 0 || strncmp(label, "dns", 3) == 0)) {
		const char *p = label + (label[0] == 'd' ? 3 : 2);

		if (strspn(p, "0123456789") == strlen(p))
			return true;
	}
	dname_print(text, name);
	for (i = 0; i < space->n_protect; i++) {
		if (fnmatch(space->protect[i], label, 0) == 0 ||
		    fnmatch(space->protect[i], text, 0) == 0)
			return true;
	}
	return false;
}

static int refuse(const char **why, const char *reason)
{
	*why = reason;
	return 1;
}

/* The first label below the subnet's zone. */
static bool first_label_below(struct dname *out, const uint8_t *s, size_t len,
			      const struct policy_subnet *subnet)
{
	const uint8_t *dot = memchr(s, '.', len);
	size_t label = dot == NULL ? len : (size_t)(dot - s);

	return subnet->n_zones > 0 && dname_prepend(out, s, label, &subnet->zones[0]->name);
}

static int place(struct dname *out, const struct policy_space *space,
		 const struct policy_subnet *subnet, enum obs_kind kind, const uint8_t *s,
		 size_t len, const char **why)
{
	const struct policy_zone *zone = NULL;
	char first[64];
	size_t label;

	dname_parse(out, (const char *)s, len);  /* clean labels, at most 253 bytes */
	if (memchr(s, '.', len) != NULL)
		zone = policy_zone_of(space, out, false);
	if (zone == NULL) {
		if (!first_label_below(out, s, len, subnet))
			return refuse(why, "the name does not fit below the subnet's zone");
	} else if (dname_equal(out, &zone->name) && kind != OBS_MANUAL) {
		return refuse(why, "only a person may name the zone itself");
	}
	label = out->b[0];
	memcpy(first, out->b + 1, label);
	first[label] = '\0';
	if (is_protected(space, out, first, kind))
		return refuse(why, "the name is protected");
	return 0;
}

int naming_rule(struct dname *out, const struct policy_space *space,
		const struct policy_subnet *subnet, enum obs_kind kind, struct bytes raw,
		const char **why)
{
	bool person = kind == OBS_MANUAL;
	uint8_t s[256];
	size_t len = raw.len, i;
	const char *fault;

	if (len > 0 && raw.p[len - 1] == '.')
		len--;
	if (len == 0)
		return refuse(why, "the name is empty");
	if (len > 253)
		return refuse(why, "the name has more than 253 bytes");
	for (i = 0; i < len; i++) {
		s[i] = clean_byte(raw.p[i], person);
		if (s[i] == 0)
			return refuse(why, "the name has a byte outside a-z, 0-9 and \"-\"");
	}
	fault = labels_fault(s, len);
	if (fault != NULL)
		return refuse(why, fault);
	if (looks_like_address(s, len))
		return refuse(why, "the name has only digits");
	if (memchr(s, '*', len) != NULL && (s[0] != '*' || (len > 1 && s[1] != '.') ||
					    memchr(s + 1, '*', len - 1) != NULL))
		return refuse(why, "\"*\" must be the whole first label");
	return place(out, space, subnet, kind, s, len, why);
}

/* ---- one address ------------------------------------------------------------------------ */

static const char *source_name(const struct policy_space *space, int32_t id)
{
	const struct policy_source *src = policy_source_by_id(space, id);

	return src != NULL ? src->name : "gone";
}

/* May this observation name at all?  Held edits were not admitted by the brake. */
static bool may_name(const struct evidence *ev)
{
	if (ev->obs.name.len == 0)
		return false;
	return !(ev->held && (ev->obs.kind == OBS_EDIT || ev->obs.kind == OBS_DNS));
}

/* Names read from DNS outside the subnet's zones are evidence only. */
static bool inside_zones(const struct policy_subnet *subnet, struct bytes raw)
{
	struct dname n;
	size_t i;

	if (!dname_parse(&n, (const char *)raw.p, raw.len))
		return false;
	for (i = 0; i < subnet->n_zones; i++) {
		if (dname_under(&n, &subnet->zones[i]->name))
			return true;
	}
	return false;
}

/* Whose lease stands behind the address, when the naming evidence itself does not say. */
static void fill_identity(struct host *h, const struct evidence *ev, size_t n_ev)
{
	struct identity id = h->id, seen;
	size_t i;

	for (i = 0; i < n_ev; i++) {
		identity_of(&seen, &ev[i].obs);
		if (!identity_known(&id)) {
			id.mac = seen.mac;
			id.client_id = seen.client_id;
			id.duid = seen.duid;
		}
		if (!identity_has_dhcid(&id, &h->asked)) {
			id.dhcid = seen.dhcid;
			id.dhcid_name = seen.dhcid_name;
		}
	}
	if (!identity_has_dhcid(&id, &h->asked))
		id.dhcid = id.dhcid_name = (struct bytes){NULL, 0};
	h->id = id;
}

static void fill_host(struct host *h, struct arena *a, const struct policy_space *space,
		      const struct evidence *ev, const char *rule)
{
	const struct obs *o = &ev->obs;

	h->addr = o->addr;
	h->kind = o->kind;
	h->source_id = ev->source_id;
	identity_of(&h->id, o);
	h->expires_at_s = o->valid_until_s == 0 ? OBS_FOREVER : o->valid_until_s;
	h->ttl_s = o->ttl_s;
	h->why = arena_printf(a, "%s by source \"%s\" (%s)", rule, source_name(space, ev->source_id),
			      obs_kind_name((enum obs_kind)o->kind));
}

struct choice {
	struct host *v;
	size_t n, cap;
	const char *refused;  /* the first reason a name was refused */
	const struct evidence *refused_ev;
};

/* A wildcard is no host's name: nothing points back at it. */
static bool is_wildcard(const struct dname *n)
{
	return n->b[0] == 1 && n->b[1] == '*';
}

static int add_named(struct choice *c, struct arena *a, const struct policy_space *space,
		     const struct policy_subnet *subnet, const struct evidence *ev, int64_t now_s)
{
	enum obs_kind kind = (enum obs_kind)ev->obs.kind;
	const char *why = "";
	struct dname name;
	struct host *h;

	if ((kind == OBS_DNS || kind == OBS_EDIT) && !inside_zones(subnet, ev->obs.name)) {
		why = "the PTR's target is outside the subnet's zones";
	} else if (naming_rule(&name, space, subnet, kind, ev->obs.name, &why) == 0) {
		h = &c->v[c->n++];
		fill_host(h, a, space, ev, "named");
		h->name = name;
		h->asked = name;
		h->since_s = now_s;
		h->ptr = (kind != OBS_MANUAL || ev->obs.ptr) && !is_wildcard(&name);
		return h->why == NULL ? ERR_NOMEM : 0;
	}
	if (c->refused == NULL) {
		c->refused = why;
		c->refused_ev = ev;
	}
	return 0;
}

/* The newest word of one kind; manual: every name. */
static int add_kind(struct choice *c, struct arena *a, const struct policy_space *space,
		    const struct policy_subnet *subnet, enum obs_kind kind,
		    const struct evidence *ev, size_t n_ev, int64_t now_s)
{
	const struct evidence *best = NULL;
	size_t i;
	int r;

	for (i = 0; i < n_ev; i++) {
		if (ev[i].obs.kind != kind || !may_name(&ev[i]))
			continue;
		if (kind == OBS_MANUAL) {
			r = add_named(c, a, space, subnet, &ev[i], now_s);
			if (r < 0)
				return r;
		} else if (best == NULL || ev[i].obs.seen_at_s > best->obs.seen_at_s) {
			best = &ev[i];
		}
	}
	return best == NULL ? 0 : add_named(c, a, space, subnet, best, now_s);
}

/* At most one name of an address gets its PTR: the first that asked for it. */
static void one_ptr(struct choice *c)
{
	bool given = false;
	size_t i;

	for (i = 0; i < c->n; i++) {
		c->v[i].ptr = c->v[i].ptr && !given;
		given = given || c->v[i].ptr;
	}
	for (i = 0; i < c->n && !given; i++)
		given = c->v[i].ptr = !is_wildcard(&c->v[i].name);
}

static int nameless(struct choice *c, struct arena *a, const struct policy_space *space,
		    const struct ipaddr *addr, const struct evidence *ev, size_t n_ev,
		    const char *outside)
{
	const struct evidence *best = &ev[0];
	struct host *h = &c->v[c->n++];
	size_t i;

	for (i = 1; i < n_ev; i++) {
		if (ev[i].obs.kind < best->obs.kind)
			best = &ev[i];
	}
	if (c->refused_ev != NULL)
		best = c->refused_ev;
	fill_host(h, a, space, best, "seen");
	h->addr = *addr;
	if (outside != NULL)
		h->why = outside;
	else if (c->refused != NULL)
		h->why = arena_printf(a, "no name: %s (source \"%s\")", c->refused,
				      source_name(space, best->source_id));
	return h->why == NULL ? ERR_NOMEM : 0;
}

int naming_address(struct host **out, size_t *n_out, struct arena *a,
		   const struct policy_space *space, const struct ipaddr *addr,
		   const struct evidence *ev, size_t n_ev, int64_t now_s)
{
	const struct policy_subnet *subnet = policy_subnet_of(space, addr);
	struct choice c = {NULL, 0, 0, NULL, NULL};
	size_t i;
	int r = 0;

	*out = NULL;
	*n_out = 0;
	if (n_ev == 0)
		return 0;
	c.cap = n_ev + 1;
	c.v = arena_array(a, c.cap, sizeof(*c.v));
	if (c.v == NULL)
		return ERR_NOMEM;
	for (i = 0; subnet != NULL && c.n == 0 && i < subnet->n_rank; i++)
		r = add_kind(&c, a, space, subnet, (enum obs_kind)subnet->rank[i], ev, n_ev, now_s);
	if (r < 0)
		return r;
	one_ptr(&c);
	if (c.n == 0)
		r = nameless(&c, a, space, addr, ev, n_ev,
			     subnet == NULL ? "the address is outside every subnet" : NULL);
	for (i = 0; i < c.n; i++)
		fill_identity(&c.v[i], ev, n_ev);
	*out = c.v;
	*n_out = c.n;
	return r;
}

/* ---- two hosts and one name ------------------------------------------------------------- */

static bool by_person(const struct host *h)
{
	return h->kind == OBS_MANUAL || h->kind == OBS_EDIT || h->kind == OBS_RESERVATION ||
	       h->kind == OBS_IPAM;
}

/* A person wrote the name down for the address, where the two cannot be mistaken. */
static bool written_down(const struct host *h)
{
	return by_person(h) && h->kind != OBS_EDIT;
}

/* A client that changes its hardware address leaves a lease behind that it does not renew.  If the
 * lease that had the name first lasts longer, both are renewed: two clients. */
static bool left_behind(const struct host *a, const struct host *b)
{
	const struct host *first = a, *later = b;

	if (a->kind != OBS_LEASE || b->kind != OBS_LEASE || !identity_is_weak(&a->id) ||
	    !identity_is_weak(&b->id))
		return false;
	if (b->since_s < a->since_s ||
	    (b->since_s == a->since_s && ipaddr_cmp(&b->addr, &a->addr) < 0)) {
		first = b;
		later = a;
	}
	return first->expires_at_s < later->expires_at_s;
}

static enum naming_kin kin(enum naming_kin k, const char *is, const char **why)
{
	*why = is;
	return k;
}

enum naming_kin naming_kin(const struct host *a, const struct host *b, enum addresses_policy p,
			   const char **why)
{
	int same;

	if (ipaddr_cmp(&a->addr, &b->addr) == 0)
		return kin(KIN_SAME, "same address", why);
	if (written_down(a) && written_down(b))
		return kin(KIN_SAME, "a person gave the name to both", why);
	same = identity_compare(&a->id, &b->id, why);
	if (same >= 0)
		return same ? KIN_SAME : KIN_OTHER;
	if (identity_resembles(&a->id, &b->id, why))
		return KIN_SAME;
	/* A client nobody knows must not join a person's name by asking for it. */
	if (by_person(a) != by_person(b))
		return kin(KIN_OTHER, "a person's name, and nothing proves that it is the same host",
			   why);
	if (a->addr.family != b->addr.family)
		return kin(KIN_NAME, "same name in the other family", why);
	if (p == ADDRESSES_NEWEST && left_behind(a, b))
		return kin(KIN_NAME, "same name, and nothing known but hardware addresses that "
				     "change", why);
	return kin(KIN_OTHER, "nothing proves that it is the same host", why);
}

bool naming_beats(const struct policy_space *space, const struct host *claimant,
		  const struct host *holder)
{
	const struct policy_subnet *sc = policy_subnet_of(space, &claimant->addr);
	const struct policy_subnet *sh = policy_subnet_of(space, &holder->addr);
	int rc = sc == NULL ? -1 : policy_rank(sc, (enum obs_kind)claimant->kind);
	int rh = sh == NULL ? -1 : policy_rank(sh, (enum obs_kind)holder->kind);

	if (rc < 0)
		return false;
	return rh < 0 || rc < rh;
}

bool naming_suffix(struct dname *out, const struct host *h)
{
	uint8_t digest[SHA256_DIGEST_LENGTH], label[64];
	size_t len = h->asked.b[0];
	struct dname parent;
	char hex[6];

	if (h->id.duid.len > 0)
		SHA256(h->id.duid.p, h->id.duid.len, digest);
	else if (h->id.client_id.len > 0)
		SHA256(h->id.client_id.p, h->id.client_id.len, digest);
	else if (h->id.mac.known)
		SHA256(h->id.mac.b, sizeof(h->id.mac.b), digest);
	else if (h->id.dhcid.len > 0)
		SHA256(h->id.dhcid.p, h->id.dhcid.len, digest);
	else
		SHA256(h->addr.b, ipaddr_len(&h->addr), digest);
	if (len > 58)  /* 63 - "-" - 4 */
		len = 58;
	memcpy(label, h->asked.b + 1, len);
	snprintf(hex, sizeof(hex), "-%02x%02x", digest[0], digest[1]);
	memcpy(label + len, hex, 5);
	dname_parent(&parent, &h->asked, 1);
	return dname_prepend(out, label, len + 5, &parent);
}

bool naming_unsuffixed(struct dname *out, const struct dname *name)
{
	size_t len = name->b[0], i;
	const uint8_t *label = name->b + 1;
	struct dname parent;

	if (len < 6 || label[len - 5] != '-')
		return false;
	for (i = len - 4; i < len; i++) {
		if (memchr("0123456789abcdef", label[i], 16) == NULL)
			return false;
	}
	dname_parent(&parent, name, 1);
	return dname_prepend(out, label, len - 5, &parent);
}
