/* progress.c - see progress.h. */

#include "bridge/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/cli/output.h"

enum { QUIET_MS = 2000, EVERY_MS = 1000, COLUMNS = 78 };

void progress_init(struct progress *p, bool quiet)
{
	*p = (struct progress){
	    .tty = !quiet && isatty(STDERR_FILENO) == 1,
	    .started_ms = clock_mono_ms(),
	};
}

/* "SUBJECT: WHAT", or "SUBJECT: N WHAT". */
static void draw(struct progress *p, const char *subject, const char *what, uint64_t n)
{
	int64_t now_ms = clock_mono_ms();
	if (now_ms - p->started_ms < QUIET_MS || now_ms - p->drawn_ms < EVERY_MS)
		return;
	struct buf raw = BUF_INIT, line = BUF_INIT;
	buf_printf(&raw, "%s: ", subject);
	if (n > 0)
		buf_printf(&raw, "%" PRIu64 " ", n);
	buf_str(&raw, what);
	out_escaped(&line, buf_text(&raw), raw.len);
	size_t len = line.len < COLUMNS ? line.len : COLUMNS;
	/* Spaces wipe what a longer line left behind. */
	size_t pad = p->width > len ? p->width - len : 0;
	fprintf(stderr, "\r%.*s%*s", (int)len, buf_text(&line), (int)pad, "");
	fflush(stderr);
	p->width = len;
	p->drawn_ms = now_ms;
	buf_fini(&raw);
	buf_fini(&line);
}

void progress_clear(struct progress *p)
{
	if (p->drawn_ms == 0)
		return;
	fprintf(stderr, "\r%*s\r", (int)p->width, "");
	fflush(stderr);
	p->drawn_ms = 0;
	p->width = 0;
}

void progress_say(void *arg, enum message id, const char *subject, const char *sentence)
{
	progress_clear(arg);
	log_event(id, subject, "%s", sentence);
}

/* ---- between flow and the name servers ---------------------------------------------------- */

static int64_t net_now_s(void *ctx)
{
	struct progress *p = ctx;
	return p->real_net->now_s(p->real_net->ctx);
}

static uint64_t net_random(void *ctx)
{
	struct progress *p = ctx;
	return p->real_net->random(p->real_net->ctx);
}

static int net_submit(void *ctx, const struct policy_zone *z, const struct change *const *c,
		      size_t n, uint64_t tag, struct err *e)
{
	struct progress *p = ctx;
	p->n += n;
	draw(p, z->text, "changes sent", p->n);
	return p->real_net->submit(p->real_net->ctx, z, c, n, tag, e);
}

static int net_collect(void *ctx, uint64_t *tag, struct answer *out, struct err *e)
{
	struct progress *p = ctx;
	return p->real_net->collect(p->real_net->ctx, tag, out, e);
}

static int net_soa(void *ctx, const struct policy_zone *z, uint32_t *serial, struct err *e)
{
	struct progress *p = ctx;
	draw(p, z->text, "asking for the serial", 0);
	return p->real_net->soa(p->real_net->ctx, z, serial, e);
}

static void net_serials(void *ctx, const struct policy_zone *const *z, size_t n,
			struct net_serial *out)
{
	struct progress *p = ctx;
	if (n > 0)
		draw(p, z[0]->text, "asking for the serial", 0);
	p->real_net->serials(p->real_net->ctx, z, n, out);
}

static int count_record(void *arg, const struct dname *owner, uint16_t type, uint32_t ttl_s,
			const uint8_t *rdata, size_t rdlen, struct err *e)
{
	struct progress *p = arg;
	/* The clock is read for few of them. */
	if (++p->n % 1024 == 0)
		draw(p, p->zone, "records pulled", p->n);
	return p->sink(p->sink_arg, owner, type, ttl_s, rdata, rdlen, e);
}

static int net_transfer(void *ctx, const struct policy_zone *z, transfer_sink sink, void *arg,
			uint32_t *serial, struct err *e)
{
	struct progress *p = ctx;
	p->n = 0;
	p->zone = z->text;
	p->sink = sink;
	p->sink_arg = arg;
	draw(p, z->text, "pulling the zone", 0);
	int r = p->real_net->transfer(p->real_net->ctx, z, count_record, p, serial, e);
	p->n = 0;
	return r;
}

static int net_changes(void *ctx, const struct policy_zone *z, uint32_t since, change_sink sink,
		       void *arg, uint32_t *serial, struct err *e)
{
	struct progress *p = ctx;
	draw(p, z->text, "asking what changed", 0);
	return p->real_net->changes(p->real_net->ctx, z, since, sink, arg, serial, e);
}

static int net_query(void *ctx, const struct policy_zone *z, struct net_look *v, size_t n,
		     struct arena *a, struct err *e)
{
	struct progress *p = ctx;
	draw(p, z->text, "asking for names", 0);
	return p->real_net->query(p->real_net->ctx, z, v, n, a, e);
}

/* ---- between flow and the sources --------------------------------------------------------- */

static int feed_open(void *ctx, const struct policy_space *space, const struct policy_source *src,
		     const char *cursor, struct err *e)
{
	struct progress *p = ctx;
	p->n = 0;
	p->source = src->name;
	draw(p, p->source, "reading", 0);
	return p->real_feed->open(p->real_feed->ctx, space, src, cursor, e);
}

static int feed_read(void *ctx, struct obs_batch *into, struct err *e)
{
	struct progress *p = ctx;
	int r = p->real_feed->read(p->real_feed->ctx, into, e);
	p->n += into->n;
	draw(p, p->source, "rows read", p->n);
	return r;
}

static const char *feed_cursor(void *ctx)
{
	struct progress *p = ctx;
	return p->real_feed->cursor(p->real_feed->ctx);
}

static void feed_close(void *ctx)
{
	struct progress *p = ctx;
	p->n = 0;
	p->real_feed->close(p->real_feed->ctx);
}

void progress_watch(struct progress *p, struct flow *f, struct flow_feed **feed)
{
	if (!p->tty)
		return;
	p->real_net = f->net;
	p->net = (struct flow_net){p,       net_now_s,   net_random,   net_submit,  net_collect,
				   net_soa, net_serials, net_transfer, net_changes, net_query};
	f->net = &p->net;
	if (feed == NULL)
		return;
	p->real_feed = *feed;
	p->feed = (struct flow_feed){p, feed_open, feed_read, feed_cursor, feed_close};
	*feed = &p->feed;
}
