/* conf.c - the configuration as a whole: loading, finding, freeing. */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/conf/conf_tree.h"

static int parse_and_build(struct conf *c, const struct conf_text *text, struct err *e)
{
	struct conf_node *root = NULL;
	int r = conf_parse(&root, &c->arena, text, e);

	if (r == 0)
		r = conf_build(c, root, e);
	conf_tree_fini(root);
	return r;
}

int conf_load(struct conf **out, const char *path, struct err *e)
{
	AUTO(conf_text_fini) struct conf_text text = {0};
	AUTO(conf_freep) struct conf *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL || (c->file = arena_strdup(&c->arena, path)) == NULL)
		return err_nomem(e);
	r = conf_read(&text, &c->arena, c->file, e);
	if (r < 0)
		return r;
	r = parse_and_build(c, &text, e);
	if (r < 0)
		return r;
	log_set_format(c->log_format);
	*out = own_take(&c);
	return 0;
}

void conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	arena_fini(&c->arena);
	free(c);
}

void conf_freep(struct conf **c)
{
	conf_free(*c);
	*c = NULL;
}

const struct conf_server *conf_server_find(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_servers; i++)
		if (strcmp(c->servers[i].name, name) == 0)
			return &c->servers[i];
	return NULL;
}

const struct conf_source *conf_source_find(const struct conf *c, const char *space,
					   const char *name)
{
	for (size_t i = 0; i < c->n_sources; i++)
		if (strcmp(c->sources[i].space, space) == 0 &&
		    strcmp(c->sources[i].name, name) == 0)
			return &c->sources[i];
	return NULL;
}
