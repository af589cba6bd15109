/* conf_build.c - the tree to servers and spaces; defaults stand here. */
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/conf/conf_tree.h"

enum {
	SERVER_PORT = 53,
	SERVER_TIMEOUT_S = 5,
	SERVER_WINDOW = 64,
};

static void build_fini(struct conf_build *b)
{
	map_fini(&b->zones);
}

/* ---- small ------------------------------------------------------------------------------- */

int conf_title(const struct conf_node *n, struct err *e)
{
	size_t len = strlen(n->title);

	if (len > 0 && len <= 63 && n->title[0] != '-' && n->title[0] != '.' &&
	    strspn(n->title, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		len)
		return 0;
	conf_error(e, n->pos, "%s \"%s\": no usable name", n->name, n->title);
	err_hint(e, "1 to 63 letters, digits, \".\", \"_\" or \"-\"");
	return ERR_CONF;
}

/* ---- servers ----------------------------------------------------------------------------- */

static int check_families(const struct conf_server *s, const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "source-address");

	if (it == NULL || (s->source_address.family == s->address.family &&
			   s->source_address.family == s->transfer_address.family))
		return 0;
	return conf_error(e, it->pos, "server \"%s\": source-address is IPv%d, the server is not",
			  n->title, (int)s->source_address.family);
}

static int build_server(struct conf_server *s, const struct conf_node *n, struct err *e)
{
	int r = conf_title(n, e);

	if (r < 0)
		return r;
	*s = (struct conf_server){
	    .name = n->title,
	    .port = SERVER_PORT,
	    .timeout_s = SERVER_TIMEOUT_S,
	    .window = SERVER_WINDOW,
	    .line = n->pos.line,
	};
	r = conf_fill(s, conf_keys_of("server"), n, e);
	if (r < 0)
		return r;
	if (s->address.family == 0)
		return conf_error(e, n->pos, "server \"%s\" has no address", n->title);
	if (s->transfer_address.family == 0)
		s->transfer_address = s->address;
	if (s->transfer_port == 0)
		s->transfer_port = s->port;
	if (s->transfer_key_file == NULL)
		s->transfer_key_file = s->key_file;
	return check_families(s, n, e);
}

static int build_servers(struct conf_build *b, struct err *e)
{
	struct conf *c = b->c;
	size_t i = 0;
	int r = conf_check_titles(b->root, "server", e);

	if (r < 0)
		return r;
	c->servers = arena_array(b->a, conf_count(b->root, "server") + 1, sizeof(*c->servers));
	if (c->servers == NULL)
		return err_nomem(e);
	for (const struct conf_node *n = conf_first(b->root, "server"); n != NULL; n = conf_after(n)) {
		r = build_server(&c->servers[i++], n, e);
		if (r < 0)
			return r;
	}
	c->n_servers = i;
	return 0;
}

/* ---- a space ----------------------------------------------------------------------------- */

static void add_own_source(struct policy_space *s, const char *name, enum obs_kind kind)
{
	s->sources[s->n_sources++] =
	    (struct policy_source){.name = name, .type = name, .kind = kind, .timeout_s = 30};
}

static int build_sources(struct policy_space *s, const struct conf_build *b,
			 const struct conf_node *scope, struct err *e)
{
	int r = conf_check_titles(scope, "source", e);

	if (r < 0)
		return r;
	s->sources = arena_array(b->a, conf_count(scope, "source") + 2, sizeof(*s->sources));
	if (s->sources == NULL)
		return err_nomem(e);
	for (const struct conf_node *n = conf_first(scope, "source"); n != NULL; n = conf_after(n)) {
		r = conf_source_build(&b->c->sources[b->c->n_sources++],
				      &s->sources[s->n_sources++], b->a, s->name,
				      b->c->state_dir, n, e);
		if (r < 0)
			return r;
	}
	add_own_source(s, SOURCE_MANUAL, OBS_MANUAL);
	add_own_source(s, SOURCE_DNS, OBS_DNS);
	return 0;
}

/* Names are compared in lower case, so patterns are too. */
static char *pattern(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s);
	size_t len = strlen(s);

	if (out == NULL)
		return NULL;
	for (char *p = out; *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
	if (len > 1 && out[len - 1] == '.')
		out[len - 1] = '\0';
	return out;
}

static int add_patterns(struct policy_space *s, const char **v, struct arena *a,
			const struct conf_item *it, struct err *e)
{
	for (size_t i = 0; it != NULL && i < it->values.n; i++) {
		if (it->values.v[i].s[0] == '\0')
			return conf_error(e, it->values.v[i].pos, "protect: a pattern is empty");
		v[s->n_protect] = pattern(a, it->values.v[i].s);
		if (v[s->n_protect++] == NULL)
			return err_nomem(e);
	}
	return 0;
}

/* What the top level protects is protected everywhere. */
static int build_protect(struct policy_space *s, const struct conf_build *b,
			 const struct conf_node *scope, struct err *e)
{
	const struct conf_item *all = conf_item(b->root, "protect");
	const struct conf_item *own = scope != b->root ? conf_item(scope, "protect") : NULL;
	size_t n = (all != NULL ? all->values.n : 0) + (own != NULL ? own->values.n : 0);
	const char **v = arena_array(b->a, n + 1, sizeof(*v));
	int r;

	if (v == NULL)
		return err_nomem(e);
	s->protect = v;
	r = add_patterns(s, v, b->a, all, e);
	return r < 0 ? r : add_patterns(s, v, b->a, own, e);
}

static int build_space(struct policy_space *s, struct conf_build *b, const struct conf_node *scope,
		       struct err *e)
{
	int r;

	map_fini(&b->zones);
	b->zones = (struct map)MAP_INIT;
	b->any_reverse = false;
	s->name = scope == b->root ? "default" : scope->title;
	if (scope != b->root && strcmp(s->name, "default") == 0)
		return conf_error(e, scope->pos, "space \"default\" is the top level's");
	if (scope != b->root && (r = conf_title(scope, e)) < 0)
		return r;
	if ((r = conf_build_zones(s, b, scope, e)) < 0 ||
	    (r = conf_build_subnets(s, b, scope, e)) < 0 ||
	    (r = build_sources(s, b, scope, e)) < 0 ||
	    (r = build_protect(s, b, scope, e)) < 0)
		return r;
	return conf_check_space(s, scope, e);
}

static int build_spaces(struct conf_build *b, struct err *e)
{
	struct policy *p = &b->c->policy;
	size_t n_sources = conf_count(b->root, "source"), i = 0;
	int r = conf_check_titles(b->root, "space", e);

	if (r < 0)
		return r;
	for (const struct conf_node *n = conf_first(b->root, "space"); n != NULL; n = conf_after(n))
		n_sources += conf_count(n, "source");
	p->n_spaces = 1 + conf_count(b->root, "space");
	p->spaces = arena_array(b->a, p->n_spaces, sizeof(*p->spaces));
	b->c->sources = arena_array(b->a, n_sources + 1, sizeof(*b->c->sources));
	if (p->spaces == NULL || b->c->sources == NULL)
		return err_nomem(e);
	r = build_space(&p->spaces[i++], b, b->root, e);
	for (const struct conf_node *n = conf_first(b->root, "space"); n != NULL && r == 0;
	     n = conf_after(n))
		r = build_space(&p->spaces[i++], b, n, e);
	return r;
}

/* ---- top level --------------------------------------------------------------------------- */

static void set_defaults(struct conf *c)
{
	c->database = "";
	c->state_dir = "/var/lib/ipambridge";
	c->policy.brake_percent = 30;
	c->policy.brake_min = 10;
	c->reconcile_s = 5 * 60;
	c->pull_s = 15 * 60;
	c->full_s = 24 * 3600;
	c->run_timeout_s = 10 * 60;
	c->statement_timeout_s = 30;
	c->journal_keep_s = 90 * 24 * 3600;
}

/* A section that may stand once and fills fields of the whole. */
static int build_single(struct conf *c, const struct conf_node *root, const char *section,
			struct err *e)
{
	const struct conf_node *n = conf_first(root, section), *second;
	char where[160];

	if (n == NULL)
		return 0;
	second = conf_after(n);
	if (second != NULL)
		return conf_error(e, second->pos, "\"%s\" is given twice, first in %s", section,
				  conf_place(where, n->pos, second->pos));
	return conf_fill(c, conf_keys_of(section), n, e);
}

int conf_build(struct conf *c, const struct conf_node *root, struct err *e)
{
	AUTO(build_fini) struct conf_build b = {c, &c->arena, root, MAP_INIT, false};
	int r;

	set_defaults(c);
	if (root->items == NULL && root->children == NULL)
		return err_set(e, ERR_CONF, "%s: the configuration is empty", c->file);
	if ((r = conf_fill(c, conf_keys, root, e)) < 0 ||
	    (r = build_single(c, root, "schedule", e)) < 0 ||
	    (r = build_single(c, root, "http", e)) < 0 ||
	    (r = build_servers(&b, e)) < 0 ||
	    (r = build_spaces(&b, e)) < 0)
		return r;
	return policy_index(&c->policy, &c->arena) < 0 ? err_nomem(e) : 0;
}
