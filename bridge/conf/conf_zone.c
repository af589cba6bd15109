/* conf_zone.c - zones with their servers, subnets with their zones. */
#include <string.h>

#include "bridge/conf/conf_tree.h"

enum { ZONE_TTL_S = 300 };

/* ---- zones ------------------------------------------------------------------------------- */

/* The values of a list as texts, each only once. */
static int text_list(const char *const **out, size_t *n_out, struct arena *a,
		     const struct conf_item *it, struct err *e)
{
	const char **v = arena_array(a, it->values.n, sizeof(*v));

	if (v == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < it->values.n; i++) {
		v[i] = it->values.v[i].s;
		for (size_t k = 0; k < i; k++)
			if (strcmp(v[k], v[i]) == 0)
				return conf_error(e, it->values.v[i].pos, "%s: \"%s\" is listed "
						  "twice", it->name, v[i]);
	}
	*out = v;
	*n_out = it->values.n;
	return 0;
}

static int zone_servers(struct policy_zone *z, const struct conf_build *b,
			const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "server");
	int r;

	if (it == NULL)
		return conf_error(e, n->pos, "zone \"%s\" has no server", n->title);
	for (size_t i = 0; i < it->values.n; i++)
		if (conf_server_find(b->c, it->values.v[i].s) == NULL) {
			r = conf_error(e, it->values.v[i].pos, "zone \"%s\": there is no server "
				       "\"%s\"", n->title, it->values.v[i].s);
			err_hint(e, "servers stand at top level: server \"%s\" { address = ... }",
				 it->values.v[i].s);
			return r;
		}
	return text_list(&z->servers, &z->n_servers, b->a, it, e);
}

static int zone_foreign(struct policy_zone *z, const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "foreign");
	const char *word = it != NULL ? it->values.v[0].s : "keep";

	if (strcmp(word, "take") != 0 && strcmp(word, "keep") != 0)
		return conf_error(e, it->pos, "zone \"%s\": foreign is keep or take, not \"%s\"",
				  n->title, word);
	z->foreign = word[0] == 't' ? FOREIGN_TAKE : FOREIGN_KEEP;
	return 0;
}

static int zone_shown(struct policy_zone *z, const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "addresses");
	const char *word = it != NULL ? it->values.v[0].s : "all";

	if (strcmp(word, "all") != 0 && strcmp(word, "newest") != 0)
		return conf_error(e, it->pos, "zone \"%s\": addresses is all or newest, not "
				  "\"%s\"", n->title, word);
	z->addresses = word[0] == 'n' ? ADDRESSES_NEWEST : ADDRESSES_ALL;
	return 0;
}

static int zone_duplicates(struct policy_zone *z, const struct conf_node *n, struct err *e)
{
	static const char *const words[] = {"suffix", "first", "refuse"};
	const struct conf_item *it = conf_item(n, "duplicates");
	size_t i = 0;

	while (it != NULL && i < 3 && strcmp(it->values.v[0].s, words[i]) != 0)
		i++;
	if (i == 3)
		return conf_error(e, it->pos, "zone \"%s\": duplicates is suffix, first or refuse, "
				  "not \"%s\"", n->title, it->values.v[0].s);
	z->duplicates = (enum duplicates_policy)i;
	return 0;
}

/* Addresses for features to come: they are checked, so that a file stays good. */
static int zone_addresses(const struct conf_node *n, const char *name, struct err *e)
{
	const struct conf_item *it = conf_item(n, name);
	struct ipaddr addr;

	for (size_t i = 0; it != NULL && i < it->values.n; i++) {
		int r = conf_addr(&addr, name, &it->values.v[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The name as people write it, and whether it is a reverse zone. */
static int zone_name(struct policy_zone *z, struct arena *a, const struct conf_node *n,
		     struct err *e)
{
	char text[DNAME_TEXT];
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_/.";
	struct dname arpa4, arpa6;

	if (!dname_parse(&z->name, n->title, strlen(n->title)) || z->name.len <= 1)
		return conf_error(e, n->pos, "zone \"%s\": no domain name", n->title);
	dname_print(text, &z->name);
	if (strspn(text, allowed) != strlen(text))
		return conf_error(e, n->pos, "zone \"%s\": no name for a zone", n->title);
	z->text = arena_strdup(a, text);
	if (z->text == NULL)
		return err_nomem(e);
	z->is_reverse = prefix_from_reverse_zone(&z->covers, &z->name);
	dname_parse(&arpa4, "in-addr.arpa", 12);
	dname_parse(&arpa6, "ip6.arpa", 8);
	if (z->is_reverse || conf_item(n, "classless") != NULL ||
	    !(dname_under(&z->name, &arpa4) || dname_under(&z->name, &arpa6)))
		return 0;
	conf_error(e, n->pos, "zone \"%s\": no reverse zone at an octet or nibble", n->title);
	err_hint(e, "192.0.2.0/24 is 2.0.192.in-addr.arpa; for a part of a /24 (RFC 2317) say "
		    "which: classless = \"192.0.2.0/25\"");
	return ERR_CONF;
}

/* classless = "192.0.2.0/25": whatever the zone is called, it is the reverse zone of these. */
static int zone_classless(struct policy_zone *z, const struct conf_node *n, struct err *e)
{
	enum { OWNER_ROOM = 4 };   /* a label of three digits */
	const struct conf_item *it = conf_item(n, "classless");
	const struct conf_value *v;
	int r;

	if (it == NULL)
		return 0;
	r = conf_single(&v, it, e);
	if (r < 0)
		return r;
	if (z->is_reverse || z->name.len > sizeof(z->name.b) - OWNER_ROOM)
		return conf_error(e, it->pos, "zone \"%s\" %s", n->title,
				  z->is_reverse ? "is a whole reverse zone by its name: leave "
						  "\"classless\" out"
						: "has no room for the names of addresses");
	if (prefix_parse(&z->covers, v->s, strlen(v->s)) && z->covers.addr.family == 4 &&
	    z->covers.len > 24) {
		z->is_reverse = z->classless = true;
		return 0;
	}
	conf_error(e, v->pos, "zone \"%s\": \"%s\" is no part of a /24", n->title, v->s);
	err_hint(e, "an IPv4 prefix of length 25 to 32, such as 192.0.2.0/25");
	return ERR_CONF;
}

/* Who serves the zone above, for its CNAMEs. */
static int zone_parent(const struct policy_zone *z, const struct conf_build *b,
		       const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "parent-server");

	if (it == NULL)
		return 0;
	if (!z->classless)
		return conf_error(e, it->pos, "zone \"%s\": parent-server goes with classless",
				  n->title);
	if (conf_server_find(b->c, z->parent_server) == NULL)
		return conf_error(e, it->pos, "zone \"%s\": there is no server \"%s\"", n->title,
				  z->parent_server);
	return 0;
}

static int build_zone(struct policy_zone *z, const struct conf_build *b, const struct conf_node *n,
		      struct err *e)
{
	int r;

	*z = (struct policy_zone){.ttl_s = ZONE_TTL_S, .dhcid = true, .view = "",
				  .line = n->pos.line};
	if ((r = zone_name(z, b->a, n, e)) < 0 ||
	    (r = zone_classless(z, n, e)) < 0 ||
	    (r = conf_fill(z, conf_keys_of("zone"), n, e)) < 0 ||
	    (r = zone_servers(z, b, n, e)) < 0 ||
	    (r = zone_foreign(z, n, e)) < 0 || (r = zone_duplicates(z, n, e)) < 0 ||
	    (r = zone_parent(z, b, n, e)) < 0 ||
	    (r = zone_shown(z, n, e)) < 0 ||
	    (r = zone_addresses(n, "secondaries", e)) < 0)
		return r;
	return zone_addresses(n, "recursors", e);
}

int conf_build_zones(struct policy_space *s, struct conf_build *b, const struct conf_node *scope,
		       struct err *e)
{
	s->zones = arena_array(b->a, conf_count(scope, "zone") + 1, sizeof(*s->zones));
	if (s->zones == NULL)
		return err_nomem(e);
	for (const struct conf_node *n = conf_first(scope, "zone"); n != NULL; n = conf_after(n)) {
		struct policy_zone *z = &s->zones[s->n_zones++];
		int r = build_zone(z, b, n, e);

		if (r < 0)
			return r;
		if (map_put(&b->zones, z->name.b, z->name.len, z) < 0)
			return err_nomem(e);
		b->any_reverse |= z->is_reverse;
	}
	return 0;
}

/* ---- subnets ----------------------------------------------------------------------------- */

static const struct policy_zone *zone_named(const struct conf_build *b, const char *text)
{
	struct dname name;

	if (!dname_parse(&name, text, strlen(text)))
		return NULL;
	return map_get(&b->zones, name.b, name.len);
}

static int subnet_zone(const struct policy_zone **out, const struct conf_build *b,
		       const struct policy_space *s, const struct conf_node *n,
		       const struct conf_value *v, struct err *e)
{
	*out = zone_named(b, v->s);
	if (*out == NULL)
		return conf_error(e, v->pos, "subnet \"%s\": there is no zone \"%s\" in space "
				  "\"%s\"", n->title, v->s, s->name);
	if (!(*out)->is_reverse)
		return 0;
	conf_error(e, v->pos, "subnet \"%s\": \"%s\" is a reverse zone", n->title, v->s);
	err_hint(e, "name the forward zone; the reverse zone is found by its name");
	return ERR_CONF;
}

static int subnet_zones(struct policy_subnet *sn, const struct conf_build *b,
			const struct policy_space *s, const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "zone");
	const struct policy_zone **v;

	if (it == NULL)
		return conf_error(e, n->pos, "subnet \"%s\" has no zone", n->title);
	v = arena_array(b->a, it->values.n, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < it->values.n; i++) {
		int r = subnet_zone(&v[i], b, s, n, &it->values.v[i], e);

		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++)
			if (v[k] == v[i])
				return conf_error(e, it->values.v[i].pos, "subnet \"%s\": zone "
						  "\"%s\" is listed twice", n->title, v[i]->text);
	}
	sn->zones = v;
	sn->n_zones = it->values.n;
	return 0;
}

static int subnet_rank(struct policy_subnet *sn, const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "rank");
	enum obs_kind kind;

	for (size_t i = 0; it == NULL && i < OBS_KINDS; i++)
		sn->rank[sn->n_rank++] = (uint8_t)i;
	for (size_t i = 0; it != NULL && i < it->values.n; i++) {
		int r = conf_kind(&kind, &it->values.v[i], e);

		if (r < 0)
			return r;
		if (policy_rank(sn, kind) >= 0)
			return conf_error(e, it->values.v[i].pos, "subnet \"%s\": rank names "
					  "\"%s\" twice", n->title, it->values.v[i].s);
		sn->rank[sn->n_rank++] = (uint8_t)kind;
	}
	return 0;
}

static int subnet_prefix(struct policy_subnet *sn, const struct conf_node *n, struct err *e)
{
	const char *slash = strchr(n->title, '/');
	struct ipaddr addr;

	if (prefix_parse(&sn->prefix, n->title, strlen(n->title)))
		return 0;
	conf_error(e, n->pos, "subnet \"%s\": no prefix", n->title);
	if (slash == NULL)
		err_hint(e, "an address and a length, such as 192.0.2.0/24");
	else if (ipaddr_parse(&addr, n->title, (size_t)(slash - n->title)))
		err_hint(e, "the length is 0 to %d, and the bits behind it must be 0",
			 addr.family == 4 ? 32 : 128);
	return ERR_CONF;
}

/* The longest reverse zone around the whole subnet: its name is the end of the reverse name of
 * the subnet's first address, from the label on that lies within the prefix. */
static const struct policy_zone *zone_around(const struct conf_build *b, const struct prefix *p)
{
	unsigned step = p->addr.family == 4 ? 8 : 4, labels = p->addr.family == 4 ? 4 : 32;
	struct dname full, name;

	ipaddr_reverse(&full, &p->addr);
	for (unsigned k = labels - p->len / step; k <= labels; k++) {
		const struct policy_zone *z;

		dname_parent(&name, &full, k);
		z = map_get(&b->zones, name.b, name.len);
		if (z != NULL && z->is_reverse)
			return z;
	}
	return NULL;
}

/* Or a classless one, which is longer than any of these. */
static const struct policy_zone *classless_around(const struct policy_space *s,
						  const struct prefix *p)
{
	for (size_t i = 0; i < s->n_zones; i++)
		if (s->zones[i].classless && s->zones[i].covers.len <= p->len &&
		    prefix_contains(&s->zones[i].covers, &p->addr))
			return &s->zones[i];
	return NULL;
}

/* Else the first inside it, which says that some of its addresses have one. */
static const struct policy_zone *reverse_zone(const struct conf_build *b,
					      const struct policy_space *s, const struct prefix *p)
{
	const struct policy_zone *z = p->len > 24 ? classless_around(s, p) : NULL;

	if (z == NULL)
		z = zone_around(b, p);
	for (size_t i = 0; i < s->n_zones && z == NULL && b->any_reverse; i++)
		if (s->zones[i].is_reverse && prefix_overlaps(&s->zones[i].covers, p))
			z = &s->zones[i];
	return z;
}

static int build_subnet(struct policy_subnet *sn, const struct conf_build *b,
			const struct policy_space *s, const struct conf_node *n, struct err *e)
{
	int r;

	sn->line = n->pos.line;
	if ((r = subnet_prefix(sn, n, e)) < 0 ||
	    (r = subnet_zones(sn, b, s, n, e)) < 0)
		return r;
	sn->reverse = reverse_zone(b, s, &sn->prefix);
	return subnet_rank(sn, n, e);
}

int conf_build_subnets(struct policy_space *s, const struct conf_build *b,
			 const struct conf_node *scope, struct err *e)
{
	s->subnets = arena_array(b->a, conf_count(scope, "subnet") + 1, sizeof(*s->subnets));
	if (s->subnets == NULL)
		return err_nomem(e);
	for (const struct conf_node *n = conf_first(scope, "subnet"); n != NULL; n = conf_after(n)) {
		int r = build_subnet(&s->subnets[s->n_subnets++], b, s, n, e);

		if (r < 0)
			return r;
	}
	return 0;
}
