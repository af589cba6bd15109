/* conf_source.c - a source: what every source has, and its adapter's settings typed by the
 * adapter's table. */
#include <string.h>

#include "adapters/adapter.h"
#include "bridge/base/own.h"
#include "bridge/conf/conf_tree.h"

enum { NEIGHBOUR_STALE_S = 3600, TIMEOUT_S = 30 };

static int unknown_type(const struct conf_node *n, const struct conf_item *type, struct err *e)
{
	AUTO(buf_fini) struct buf b = BUF_INIT;

	conf_error(e, type->pos, "source \"%s\": there is no type \"%s\"", n->title,
		   type->values.v[0].s);
	for (size_t i = 0; adapter_at(i) != NULL; i++)
		buf_printf(&b, "%s%s", i > 0 ? ", " : "", adapter_at(i)->type);
	err_hint(e, "types are %s", buf_text(&b));
	return ERR_CONF;
}

static int unknown_setting(const struct conf_node *n, const struct conf_item *it,
			   const char *type, struct err *e)
{
	AUTO(buf_fini) struct buf b = BUF_INIT;

	conf_error(e, it->pos, "source \"%s\": setting \"%s\" is not known to type \"%s\"",
		   n->title, it->name, type);
	conf_accepted(&b, type);
	err_hint(e, "it accepts %s", buf_text(&b));
	return ERR_CONF;
}

/* ---- settings of the adapter ------------------------------------------------------------- */

static const struct setting_key *setting_row(const struct setting_key *keys, const char *name)
{
	for (; keys != NULL && keys->name != NULL; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

static int set_list(struct setting *s, struct arena *a, const struct conf_item *it, struct err *e)
{
	const char **list = arena_array(a, it->values.n, sizeof(*list));

	if (list == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < it->values.n; i++)
		list[i] = it->values.v[i].s;
	s->list = list;
	s->n = it->values.n;
	return 0;
}

static int set_scalar(struct setting *s, const struct conf_item *it, struct err *e)
{
	const struct conf_value *v = NULL;
	bool yes = false;
	int r = conf_single(&v, it, e);

	if (r < 0)
		return r;
	s->str = v->s;
	switch (s->type) {
	case SETTING_DURATION:
		return conf_duration(&s->num, s->name, v, 0, INT64_MAX, e);
	case SETTING_SIZE:
		if (size_parse(&s->num, v->s))
			return 0;
		conf_error(e, v->pos, "%s \"%s\" is no size", s->name, v->s);
		err_hint(e, "a number of bytes, or with k, M or G, such as 64k");
		return ERR_CONF;
	case SETTING_BOOL:
		r = conf_bool(&yes, s->name, v, e);
		s->num = yes;
		return r;
	case SETTING_STR:
	case SETTING_LIST:
		return 0;
	}
	return 0;
}

/* Beside what the file says of the source, its adapter is told where the state is kept. */
static int build_settings(struct settings *out, struct arena *a, const struct conf_node *n,
			  const struct adapter_ops *ops, const char *state_dir, struct err *e)
{
	size_t count = 0, i = 0;
	struct setting *v;
	int r = 0;

	for (const struct conf_item *it = n->items; it != NULL; it = it->next)
		count++;
	v = arena_array(a, count + 1, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	v[i++] = (struct setting){.name = "state-dir", .type = SETTING_STR, .str = state_dir};
	for (const struct conf_item *it = n->items; it != NULL && r == 0; it = it->next) {
		const struct setting_key *k = setting_row(ops->keys, it->name);

		if (k == NULL && conf_keys_find(conf_keys_of("source"), it->name) != NULL)
			continue;
		if (k == NULL)
			return unknown_setting(n, it, ops->type, e);
		v[i] = (struct setting){.name = k->name, .type = k->type, .line = it->pos.line};
		r = k->type == SETTING_LIST ? set_list(&v[i], a, it, e) : set_scalar(&v[i], it, e);
		i++;
	}
	*out = (struct settings){v, i, n->pos.file, n->pos.line};
	return r;
}

static int check_required(const struct conf_node *n, const struct adapter_ops *ops, struct err *e)
{
	for (const struct setting_key *k = ops->keys; k != NULL && k->name != NULL; k++)
		if (k->required && conf_item(n, k->name) == NULL) {
			conf_error(e, n->pos, "source \"%s\": type \"%s\" needs \"%s\"", n->title,
				   ops->type, k->name);
			if (k->help != NULL)
				err_hint(e, "%s: %s", k->name, k->help);
			return ERR_CONF;
		}
	return 0;
}

/* ---- what every source has --------------------------------------------------------------- */

static int source_kind(enum obs_kind *out, const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "kind");
	int r;

	if (it == NULL)
		return 0;
	r = conf_kind(out, &it->values.v[0], e);
	if (r < 0)
		return r;
	if (*out == OBS_MANUAL || *out == OBS_EDIT || *out == OBS_DNS) {
		conf_error(e, it->pos, "source \"%s\": kind \"%s\" is ipambridge's own", n->title,
			   obs_kind_name(*out));
		err_hint(e, "a source is of kind reservation, ipam, lease or neighbour");
		return ERR_CONF;
	}
	return 0;
}

/* Only neighbours end by being absent for a while. */
static int check_stale(const struct conf_node *n, enum obs_kind kind, struct err *e)
{
	const struct conf_item *it = conf_item(n, "stale-after");

	if (it == NULL || kind == OBS_NEIGHBOUR)
		return 0;
	conf_error(e, it->pos, "source \"%s\": stale-after is for kind neighbour alone", n->title);
	err_hint(e, "what a source of kind %s brought never ends by a time of absence",
		 obs_kind_name(kind));
	return ERR_CONF;
}

static int check_name(const struct conf_node *n, struct err *e)
{
	if (strcmp(n->title, SOURCE_MANUAL) == 0 || strcmp(n->title, SOURCE_DNS) == 0)
		return conf_error(e, n->pos, "source \"%s\": the name is reserved for ipambridge's "
				  "own source", n->title);
	return conf_title(n, e);
}

int conf_source_build(struct conf_source *out, struct policy_source *ps, struct arena *a,
		      const char *space, const char *state_dir, const struct conf_node *n,
		      struct err *e)
{
	const struct conf_item *type = conf_item(n, "type");
	const struct adapter_ops *ops = type != NULL ? adapter_find(type->values.v[0].s) : NULL;
	int r = check_name(n, e);

	if (r < 0)
		return r;
	if (type == NULL)
		return conf_error(e, n->pos, "source \"%s\" has no type", n->title);
	if (ops == NULL)
		return unknown_type(n, type, e);
	ps->kind = ops->kind;
	*out = (struct conf_source){.space = space, .name = n->title, .timeout_s = TIMEOUT_S};
	if ((r = source_kind(&ps->kind, n, e)) < 0 ||
	    (r = check_stale(n, ps->kind, e)) < 0)
		return r;
	out->stale_after_s = ps->kind == OBS_NEIGHBOUR ? NEIGHBOUR_STALE_S : 0;
	if ((r = build_settings(&out->set, a, n, ops, state_dir, e)) < 0 ||
	    (r = conf_fill(out, conf_keys_of("source"), n, e)) < 0 ||
	    (r = check_required(n, ops, e)) < 0)
		return r;
	ps->name = out->name;
	ps->type = out->type = ops->type;
	ps->events = ops->events;
	ps->stale_after_s = out->stale_after_s;
	ps->timeout_s = out->timeout_s;
	return 0;
}
