/* crew.c - the list of processes. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/role/crew.h"

enum { PRINT_MAX = 800 };

/* ---- from the configuration ------------------------------------------------------------- */

static int add_child(struct crew *c, const struct role *r, const char *of, struct err *e)
{
	struct child kid;
	int n = child_init(&kid, r->name, of, e);

	if (n == 0 && vec_push(&c->kids, kid) < 0) {
		child_fini(&kid);
		n = err_nomem(e);
	}
	return n;
}

static int add_role(struct crew *c, const struct role *r, struct err *e)
{
	struct buf of = BUF_INIT;
	int n = 0;

	for (size_t i = 0; n == 0 && i < role_places(r, c->conf); i++) {
		if (!role_of(&of, r, c->conf, i))
			continue;
		n = of.bad ? err_nomem(e) : add_child(c, r, buf_text(&of), e);
	}
	buf_fini(&of);
	return n;
}

static int add_roles(struct crew *c, const struct role *table, const char *only, struct err *e)
{
	int n = 0;

	for (const struct role *r = table; n == 0 && r->name != NULL; r++) {
		if (only == NULL || strcmp(only, r->name) == 0)
			n = add_role(c, r, e);
	}
	if (n == 0 && c->kids.n == 0)
		n = err_set(e, ERR_CONF, "%s: there is nothing to do for role \"%s\"",
			    c->conf->file, only != NULL ? only : "any");
	if (n == 0 && (c->polls = calloc(c->kids.n + 1, sizeof(*c->polls))) == NULL)
		n = err_nomem(e);
	return n;
}

int crew_load(struct crew *c, const char *conf_path, const struct role *table, const char *only,
	      struct err *e)
{
	int n;

	*c = (struct crew){0};
	n = conf_load(&c->conf, conf_path, e);
	n = n < 0 ? n : add_roles(c, table, only, e);
	if (n < 0)
		crew_fini(c);
	return n;
}

void crew_fini(struct crew *c)
{
	for (size_t i = 0; i < c->kids.n; i++)
		child_fini(&c->kids.v[i]);
	vec_fini(&c->kids);
	free(c->polls);
	conf_freep(&c->conf);
	*c = (struct crew){0};
}

/* ---- all of them ------------------------------------------------------------------------ */

void crew_stop(struct crew *c, int64_t now_ms, int64_t patience_ms)
{
	for (size_t i = 0; i < c->kids.n; i++)
		child_stop(&c->kids.v[i], now_ms, patience_ms);
}

bool crew_ended(const struct crew *c)
{
	for (size_t i = 0; i < c->kids.n; i++) {
		if (c->kids.v[i].pid != 0)
			return false;
	}
	return true;
}

bool crew_reported(const struct crew *c)
{
	for (size_t i = 0; i < c->kids.n; i++) {
		if (!c->kids.v[i].reported)
			return false;
	}
	return true;
}

struct child *crew_find(struct crew *c, pid_t pid)
{
	for (size_t i = 0; i < c->kids.n; i++) {
		if (c->kids.v[i].pid == pid)
			return &c->kids.v[i];
	}
	return NULL;
}

void crew_poll(struct crew *c, int fd, int64_t ms)
{
	c->polls[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	for (size_t i = 0; i < c->kids.n; i++)
		c->polls[i + 1] = (struct pollfd){.fd = c->kids.v[i].sign_fd, .events = POLLIN};
	poll(c->polls, c->kids.n + 1, ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms);
}

/* ---- in words --------------------------------------------------------------------------- */

static void print_kid(struct buf *out, const struct child *k, bool running)
{
	if ((k->pid != 0) != running || k->text[0] == '\0' || out->len > PRINT_MAX)
		return;
	buf_printf(out, running ? "; %s: %s" : "; %s is down: %s", k->name, k->text);
}

void crew_print(struct buf *out, const struct crew *c, const char *before)
{
	size_t up = 0;

	for (size_t i = 0; i < c->kids.n; i++)
		up += c->kids.v[i].pid != 0;
	buf_printf(out, "%zu of %zu processes run%s%s", up, c->kids.n, *before != '\0' ? "; " : "",
		   before);
	for (size_t i = 0; i < c->kids.n; i++)
		print_kid(out, &c->kids.v[i], false);
	for (size_t i = 0; i < c->kids.n; i++)
		print_kid(out, &c->kids.v[i], true);
}
