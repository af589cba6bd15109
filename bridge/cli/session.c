/* session.c - what most verbs open first: configuration, sessions, space, lock. */

#include "bridge/cli/cli.h"

#include "bridge/base/buf.h"

int session_open(struct session *s, const struct cli *c, const char *role, bool look,
		 struct err *e)
{
	*s = (struct session){0};
	int r = conf_load(&s->conf, c->config, e);
	if (r < 0)
		return r;
	r = once_open(&s->once, s->conf, role, look, e);
	if (r < 0)
		return r;
	const struct policy_space *space;
	return c->space != NULL ? session_space(&space, s, c, e) : 0;
}

void session_fini(struct session *s)
{
	once_closep(&s->once);
	conf_freep(&s->conf);
}

int session_space(const struct policy_space **out, const struct session *s, const struct cli *c,
		  struct err *e)
{
	const struct policy *p = once_policy(s->once);
	const char *name = c->space != NULL ? c->space : "default";
	*out = policy_space_by_name(p, name);
	if (*out != NULL)
		return 0;
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < p->n_spaces; i++)
		buf_printf(&b, "%s\"%s\"", i > 0 ? ", " : "", p->spaces[i].name);
	err_set(e, ERR_CONF, "no space \"%s\" in the configuration", name);
	err_hint(e, "there is %s", buf_text(&b));
	buf_fini(&b);
	return ERR_CONF;
}

