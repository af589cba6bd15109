/* wire.c - binds flow to the servers of the configuration. */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/dns/exchange.h"
#include "bridge/dns/lookup.h"
#include "bridge/dns/transfer.h"
#include "bridge/dns/write.h"
#include "bridge/role/wire.h"

enum {
	TRANSFER_TIMEOUT_MS = 300000,
	QUERIES_TIMEOUT_MS = 60000,  /* of one call, some hundred owners */
	COLLECT_SLACK_MS = 2000      /* beyond an exchange's own deadline: never reached */
};
#define TRANSFER_MAX_BYTES (4ULL << 30)
#define TRANSFER_MAX_RECORDS 50000000ULL

struct wire_server {
	const struct conf_server *conf;
	bool keyed;                  /* keys have been read */
	struct tsig_key key, transfer_key;
	struct server update, transfer;
	struct exchange *x[2];       /* updates, forward and reverse: on one connection BIND works on
				      * one message at a time, on two it writes both zones */
	struct exchange *queries;
	struct err dead;             /* did not answer in this run: why; code 0: it did */
};

struct wire {
	const struct conf *conf;
	struct wire_server *servers;
	size_t n;
	struct exchange **active;    /* scratch of collect */
	int64_t deadline_ms;
};

static int read_key(struct tsig_key *k, const char *path, const char *server, struct err *e)
{
	bool weak = false;
	int r = key_read(k, path, &weak, e);

	if (r < 0)
		return err_in(e, r, "server \"%s\"", server);
	if (weak)
		log_event(MSG_KEY_WEAK, path, "key uses hmac-sha1, which is weak; make one with tsig-keygen");
	return 0;
}

static int prepare(struct wire_server *s, struct err *e)
{
	const struct conf_server *c = s->conf;
	int r;

	if (s->keyed)
		return 0;
	s->update = (struct server){.name = c->name, .addr = c->address, .port = c->port,
				    .source = c->source_address, .window = c->window,
				    .timeout_ms = c->timeout_s * 1000};
	s->transfer = s->update;
	s->transfer.addr = c->transfer_address;
	s->transfer.port = c->transfer_port;
	if (c->key_file != NULL) {
		r = read_key(&s->key, c->key_file, c->name, e);
		if (r < 0)
			return r;
		s->update.key = &s->key;
	}
	if (c->transfer_key_file != NULL && !c->allow_unsigned_transfer) {
		r = read_key(&s->transfer_key, c->transfer_key_file, c->name, e);
		if (r < 0)
			return r;
		s->transfer.key = &s->transfer_key;
	}
	s->keyed = true;
	return 0;
}

/* One dead server is waited for once. */
static int remember(struct wire_server *s, int r, struct err *e)
{
	const char *about;

	if ((r != ERR_BUSY && r != ERR_SYS) || e == NULL)
		return r;
	s->dead = *e;
	/* What is said of the server holds for every zone; which zone was asked does not. */
	about = strstr(e->text, "server \"");
	if (about != NULL)
		memmove(s->dead.text, s->dead.text + (about - e->text), strlen(about) + 1);
	return r;
}

static int is_dead(const struct wire_server *s, struct err *e)
{
	if (s->dead.code != 0 && e != NULL)
		*e = s->dead;
	return s->dead.code;
}

static struct wire_server *find(struct wire *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (strcmp(w->servers[i].conf->name, name) == 0)
			return &w->servers[i];
	}
	return NULL;
}

/* The first of the zone's servers that answers in this run, as far as is known.  Negative when
 * its keys cannot be read, or when all are dead. */
static int server_of(struct wire *w, const struct policy_zone *z, struct wire_server **out,
		     struct err *e)
{
	size_t i;

	for (i = 0; i < z->n_servers; i++) {
		*out = find(w, z->servers[i]);
		if (*out != NULL && (*out)->dead.code == 0)
			return prepare(*out, e);
	}
	*out = z->n_servers > 0 ? find(w, z->servers[0]) : NULL;
	if (*out == NULL)
		return err_set(e, ERR_CONF, "zone \"%s\" has no server", z->text);
	return is_dead(*out, e);
}

int wire_open(struct wire **out, const struct conf *c, struct err *e)
{
	struct wire *w = calloc(1, sizeof(*w));
	size_t i;

	if (w == NULL)
		return err_nomem(e);
	w->conf = c;
	w->n = c->n_servers;
	w->servers = calloc(w->n + 1, sizeof(*w->servers));
	w->active = calloc(2 * w->n + 1, sizeof(struct exchange *));
	if (w->servers == NULL || w->active == NULL) {
		wire_close(w);
		return err_nomem(e);
	}
	for (i = 0; i < w->n; i++)
		w->servers[i].conf = &c->servers[i];
	*out = w;
	return 0;
}

void wire_close(struct wire *w)
{
	size_t i;

	if (w == NULL)
		return;
	for (i = 0; w->servers != NULL && i < w->n; i++) {
		exchange_free(w->servers[i].x[false]);
		exchange_free(w->servers[i].x[true]);
		exchange_free(w->servers[i].queries);
		key_wipe(&w->servers[i].key);
		key_wipe(&w->servers[i].transfer_key);
	}
	free(w->servers);
	free(w->active);
	free(w);
}

void wire_begin(struct wire *w, int64_t deadline_ms)
{
	size_t i;

	w->deadline_ms = deadline_ms;
	for (i = 0; i < w->n; i++)
		memset(&w->servers[i].dead, 0, sizeof(w->servers[i].dead));
}

static int64_t until(const struct wire *w, int64_t span_ms)
{
	int64_t at = clock_mono_ms() + span_ms;

	return w->deadline_ms != 0 && w->deadline_ms < at ? w->deadline_ms : at;
}

/* ---- the calls of flow_net -------------------------------------------------------------- */

static int64_t now_s(void *ctx)
{
	(void)ctx;
	return clock_wall_s();
}

static uint64_t random64(void *ctx)
{
	(void)ctx;
	return clock_random();
}

static unsigned in_flight(const struct wire_server *s)
{
	unsigned n = 0, i;

	for (i = 0; i < 2; i++)
		n += s->x[i] == NULL ? 0 : exchange_in_flight(s->x[i]);
	return n;
}

static int submit(void *ctx, const struct policy_zone *z, const struct change *const *c, size_t n,
		  uint64_t tag, struct err *e)
{
	struct wire_server *s;
	struct exchange **x;
	struct buf msg = BUF_INIT;
	int r = server_of(ctx, z, &s, e);

	/* ERR_BUSY would say that the window is full. */
	if (r < 0)
		return r == ERR_BUSY ? ERR_SYS : r;
	x = &s->x[z->is_reverse];
	if (*x == NULL) {
		r = exchange_new(x, &s->update, e);
		if (r < 0)
			return r;
	}
	if (in_flight(s) >= s->update.window)
		return err_set(e, ERR_BUSY, "the window is full");
	r = write_update(&msg, 0, &z->name, c, n, e);
	r = r < 0 ? r : exchange_send(*x, &msg, tag, e);
	buf_fini(&msg);
	return r;
}

static int collect(void *ctx, uint64_t *tag, struct answer *out, struct err *e)
{
	struct wire *w = ctx;
	int64_t longest = 0;
	size_t i, n = 0;

	for (i = 0; i < 2 * w->n; i++) {
		struct wire_server *s = &w->servers[i / 2];
		struct exchange *x = s->x[i % 2];

		if (x == NULL || exchange_in_flight(x) == 0)
			continue;
		w->active[n++] = x;
		if (s->update.timeout_ms > longest)
			longest = s->update.timeout_ms;
	}
	if (n == 0)
		return 0;
	return exchange_collect(w->active, n, clock_mono_ms() + longest + COLLECT_SLACK_MS, tag, out,
				NULL, e);
}

static int soa(void *ctx, const struct policy_zone *z, uint32_t *serial, struct err *e)
{
	struct wire_server *s;
	int r, tries = 0;

	/* Every pass asks for the serial first: here a dead server gives way to the next. */
	do {
		r = server_of(ctx, z, &s, e);
		if (r < 0)
			return r;
		r = remember(s, transfer_soa(&s->transfer, &z->name, serial, e), e);
	} while (s->dead.code != 0 && e != NULL && ++tries < (int)z->n_servers);
	return r;
}

/* ---- many serials ------------------------------------------------------------------------ */

struct serials {
	const struct policy_zone *const *z;
	struct net_serial *out;
};

/* A kept connection may have been closed just now, and then another is worth a try; who lets us
 * wait does so again. */
static int take_serial(const struct serials *q, struct wire_server *s, struct err *e)
{
	AUTO(buf_fini) struct buf reply = BUF_INIT;
	uint64_t i = 0;
	int r = exchange_take(s->queries, &i, &reply, e);

	if (r == 1)
		q->out[i].known = transfer_serial(&q->out[i].serial, &q->z[i]->name, &reply);
	else if (r == ERR_BUSY)
		remember(s, r, e);
	return r;
}

static void take_serials(const struct serials *q, struct wire_server *s, struct err *e)
{
	unsigned n = s->queries == NULL ? 0 : exchange_in_flight(s->queries);

	while (n-- > 0)
		take_serial(q, s, e);
}

static int ask_serial(const struct serials *q, struct wire *w, size_t i, struct err *e)
{
	AUTO(buf_fini) struct buf msg = BUF_INIT;
	struct wire_server *s;
	int r = server_of(w, q->z[i], &s, e);

	if (r == 0 && s->queries == NULL)
		r = exchange_new(&s->queries, &s->transfer, e);
	r = r < 0 ? r : write_query(&msg, 0, &q->z[i]->name, RR_SOA, e);
	if (r == 0 && exchange_in_flight(s->queries) >= s->transfer.window)
		take_serial(q, s, e);
	return r < 0 ? r : exchange_send(s->queries, &msg, i, e);
}

static void serials(void *ctx, const struct policy_zone *const *z, size_t n,
		    struct net_serial *out)
{
	struct serials q = {z, out};
	struct wire *w = ctx;
	struct err why = {0};
	size_t i;

	memset(out, 0, n * sizeof(*out));
	for (i = 0; i < n; i++)
		ask_serial(&q, w, i, &why);
	for (i = 0; i < w->n; i++)
		take_serials(&q, &w->servers[i], &why);
}

static struct transfer_limits limits(const struct wire *w)
{
	return (struct transfer_limits){
		.timeout_ms = until(w, TRANSFER_TIMEOUT_MS) - clock_mono_ms(),
		.max_bytes = TRANSFER_MAX_BYTES,
		.max_records = TRANSFER_MAX_RECORDS,
	};
}

static int changes(void *ctx, const struct policy_zone *z, uint32_t since, change_sink sink,
		   void *arg, uint32_t *serial, struct err *e)
{
	struct transfer_limits lim = limits(ctx);
	struct wire_server *s;
	int r = server_of(ctx, z, &s, e);

	if (r < 0)
		return r;
	return transfer_ixfr(&s->transfer, &z->name, since, &lim, sink, arg, serial, e);
}

static int transfer(void *ctx, const struct policy_zone *z, transfer_sink sink, void *arg,
		    uint32_t *serial, struct err *e)
{
	struct transfer_limits lim = limits(ctx);
	struct wire_server *s;
	int r = server_of(ctx, z, &s, e);

	if (r < 0)
		return r;
	return transfer_axfr(&s->transfer, &z->name, &lim, sink, arg, serial, e);
}

/* ---- what stands at some owners --------------------------------------------------------- */

static int copy_looks(struct lookup **out, const struct net_look *v, size_t n, struct arena *a,
		      struct err *e)
{
	size_t i;

	*out = arena_array(a, n + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	for (i = 0; i < n; i++)
		(*out)[i].owner = v[i].owner;
	return 0;
}

static int ask(struct wire *w, struct wire_server *s, const struct policy_zone *z,
	       struct lookup *l, size_t n, struct arena *a, struct err *e)
{
	struct lookup_zone zone = {.s = &s->transfer, .name = &z->name, .reverse = z->is_reverse};
	int r = s->queries != NULL ? 0 : exchange_new(&s->queries, &s->transfer, e);

	r = r < 0 ? r : lookup_owners(s->queries, &zone, l, n, until(w, QUERIES_TIMEOUT_MS), a, e);
	if (r < 0) {
		/* Answers that nobody waits for any more must not meet the next question. */
		exchange_free(s->queries);
		s->queries = NULL;
	}
	return remember(s, r, e);
}

static int query(void *ctx, const struct policy_zone *z, struct net_look *v, size_t n,
		 struct arena *a, struct err *e)
{
	struct lookup *l = NULL;
	struct wire_server *s;
	size_t i;
	int r = server_of(ctx, z, &s, e);

	r = r < 0 ? r : copy_looks(&l, v, n, a, e);
	r = r < 0 ? r : ask(ctx, s, z, l, n, a, e);
	for (i = 0; i < n && l != NULL; i++)
		v[i] = (struct net_look){l[i].owner, l[i].got, l[i].seen, l[i].cut};
	return r;
}

_Static_assert((int)NET_WHOLE == (int)TRANSFER_WHOLE, "the answer of changes is transfer_ixfr's");
_Static_assert((int)NET_REFUSED == (int)TRANSFER_REFUSED, "that of transfer is transfer_axfr's");

struct flow_net wire_flow(struct wire *w)
{
	return (struct flow_net){.ctx = w, .now_s = now_s, .random = random64, .submit = submit,
				 .collect = collect, .soa = soa, .serials = serials,
				 .transfer = transfer, .changes = changes, .query = query};
}
