/* feed.c - one source at a time, each with its own deadline. */
#include <stdlib.h>

#include "adapters/adapter.h"
#include "bridge/base/clock.h"
#include "bridge/role/feed.h"

struct feed {
	const struct conf *conf;
	struct adapter *adapter;
	const char *name;
	enum obs_kind kind;
	int64_t timeout_s;
	int64_t until_ms;
};

int feed_open(struct feed **out, const struct conf *c, struct err *e)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	(*out)->conf = c;
	return 0;
}

static void source_close(void *ctx)
{
	struct feed *f = ctx;

	if (f->adapter != NULL)
		f->adapter->ops->close(f->adapter);
	f->adapter = NULL;
}

void feed_close(struct feed *f)
{
	if (f != NULL)
		source_close(f);
	free(f);
}

static int source_open(void *ctx, const struct policy_space *space,
		       const struct policy_source *src, const char *cursor, struct err *e)
{
	struct feed *f = ctx;
	const struct conf_source *cs = conf_source_find(f->conf, space->name, src->name);
	const struct adapter_ops *ops = cs == NULL ? NULL : adapter_find(cs->type);

	source_close(f);
	if (ops == NULL)
		return err_set(e, ERR_CONF, "source \"%s\" has no adapter of its type", src->name);
	f->name = src->name;
	f->kind = src->kind;
	f->timeout_s = cs->timeout_s;
	f->until_ms = clock_mono_ms() + cs->timeout_s * 1000;
	return ops->open(&f->adapter, &cs->set, cursor, e);
}

static int source_read(void *ctx, struct obs_batch *into, struct err *e)
{
	struct feed *f = ctx;
	size_t i;
	int r;

	r = f->adapter->ops->read(f->adapter, into, f->until_ms, e);
	/* A source that has nothing by its deadline has not been read. */
	if (r == ADAPTER_IDLE || (r == ADAPTER_MORE && clock_mono_ms() > f->until_ms))
		return err_set(e, ERR_BUSY, "source \"%s\" was not read within %lld s", f->name,
			       (long long)f->timeout_s);
	/* The configuration may say that this source speaks with another rank. */
	for (i = 0; r >= 0 && i < into->n; i++)
		into->v[i].kind = (uint8_t)f->kind;
	return r;
}

static const char *source_cursor(void *ctx)
{
	struct feed *f = ctx;

	return f->adapter->ops->cursor == NULL ? NULL : f->adapter->ops->cursor(f->adapter);
}

struct flow_feed feed_flow(struct feed *f)
{
	return (struct flow_feed){.ctx = f, .open = source_open, .read = source_read,
				  .cursor = source_cursor, .close = source_close};
}
