/* hints.c - which message is a hint for which zone, and when it is followed. */
#include "bridge/role/hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/core/outcome.h"
#include "bridge/dns/notify.h"
#include "bridge/role/hint_sockets.h"

enum { LOOK_EVERY_MS = 1000, LOOK_SHARE = 10, SAY_EVERY_MS = 60000, PIECE_MS = 10000 };

/* A server that may send hints. */
struct peer {
	const struct conf_server *conf;
	struct tsig_key keys[2];
	size_t n_keys;
};

struct zone {
	const struct policy_zone *zone;
	bool hinted;
	int64_t not_before_ms;       /* monotonic */
};

struct hints {
	const struct conf *conf;
	struct hint_sockets *sockets;
	struct peer *peers;
	size_t n_peers;
	struct zone *zones;
	size_t n_zones;
	const struct tsig_key **keys;  /* scratch: those of the peers at one address */
	int looking;                 /* the zone that was given out; -1: none */
	int64_t looking_since_ms;
	int64_t said_ms;             /* when a refusal was said last; 0: never */
	uint64_t unsaid;
};

/* ---- who and what ----------------------------------------------------------------------- */

static bool is_at(const struct conf_server *s, const struct ipaddr *from)
{
	return ipaddr_cmp(&s->address, from) == 0 || ipaddr_cmp(&s->transfer_address, from) == 0;
}

static bool knows(void *arg, const struct ipaddr *from)
{
	const struct hints *h = arg;
	size_t i;

	for (i = 0; i < h->n_peers; i++) {
		if (is_at(h->peers[i].conf, from))
			return true;
	}
	return false;
}

static size_t keys_of(struct hints *h, const struct ipaddr *from)
{
	size_t n = 0, i, k;

	for (i = 0; i < h->n_peers; i++) {
		for (k = 0; k < h->peers[i].n_keys && is_at(h->peers[i].conf, from); k++)
			h->keys[n++] = &h->peers[i].keys[k];
	}
	return n;
}

static bool has_server_at(const struct hints *h, const struct policy_zone *z,
			  const struct ipaddr *from)
{
	size_t i;

	for (i = 0; i < z->n_servers; i++) {
		const struct conf_server *s = conf_server_find(h->conf, z->servers[i]);

		if (s != NULL && is_at(s, from))
			return true;
	}
	return false;
}

/* All zones of this name that a server at this address has, whatever their spaces and views. */
static bool note_hint(struct hints *h, const struct dname *name, const struct ipaddr *from)
{
	bool any = false;
	size_t i;

	for (i = 0; i < h->n_zones; i++) {
		struct zone *z = &h->zones[i];

		if (!dname_equal(&z->zone->name, name) || !has_server_at(h, z->zone, from))
			continue;
		z->hinted = any = true;
	}
	return any;
}

/* ---- one message ------------------------------------------------------------------------ */

/* One line a minute: whoever sends these can send many. */
static void say_refused(struct hints *h, const struct ipaddr *from, const struct notify *n,
			uint8_t rcode, const char *why)
{
	char addr[IPADDR_TEXT], zone[DNAME_TEXT] = "", more[60] = "";
	int64_t now_ms = clock_mono_ms();

	if (h->said_ms != 0 && now_ms < h->said_ms + SAY_EVERY_MS) {
		h->unsaid++;
		return;
	}
	if (n->zone.len > 0)
		dname_print(zone, &n->zone);
	if (h->unsaid > 0)
		snprintf(more, sizeof(more), "; %llu more since the last such line",
			 (unsigned long long)h->unsaid);
	log_event(MSG_NOTIFY_REFUSED, ipaddr_print(addr, from), "NOTIFY for \"%s\", answered %s (%s)%s",
		  zone, rcode_name(rcode), why, more);
	h->said_ms = now_ms;
	h->unsaid = 0;
}

static uint8_t judge(struct hints *h, const struct ipaddr *from, const struct notify *n,
		     const char **why)
{
	*why = n->why;
	if (!knows(h, from)) {
		*why = "no configured server has this address";
		return RCODE_REFUSED;
	}
	if (n->rcode != RCODE_NOERROR)
		return n->rcode;
	if (note_hint(h, &n->zone, from))
		return RCODE_NOERROR;
	*why = "no configured zone of this server has this name";
	return RCODE_NOTAUTH;
}

static void take(void *arg, const struct ipaddr *from, const uint8_t *p, size_t len,
		 struct buf *answer)
{
	int64_t now_s = clock_wall_s();
	struct hints *h = arg;
	struct notify n;
	const char *why;
	uint8_t rcode;

	if (!notify_read(&n, p, len, h->keys, keys_of(h, from), now_s))
		return;
	rcode = judge(h, from, &n, &why);
	if (rcode != RCODE_NOERROR)
		say_refused(h, from, &n, rcode, why);
	notify_answer(answer, &n, rcode, now_s, NULL);
}

/* ---- opening ---------------------------------------------------------------------------- */

static int read_key(struct peer *p, const char *path, struct err *e)
{
	bool weak;
	int r = path == NULL ? 0 : key_read(&p->keys[p->n_keys], path, &weak, e);

	p->n_keys += r == 0 && path != NULL;
	return r;
}

static int list_peers(struct hints *h, struct err *e)
{
	size_t i;
	int r = 0;

	h->peers = calloc(h->conf->n_servers + 1, sizeof(*h->peers));
	h->keys = calloc(2 * h->conf->n_servers + 1, sizeof(*h->keys));
	if (h->peers == NULL || h->keys == NULL)
		return err_nomem(e);
	for (i = 0; i < h->conf->n_servers && r == 0; i++) {
		struct peer *p = &h->peers[h->n_peers++];
		const struct conf_server *s = p->conf = &h->conf->servers[i];

		r = read_key(p, s->key_file, e);
		if (r == 0 && s->transfer_key_file != NULL &&
		    (s->key_file == NULL || strcmp(s->key_file, s->transfer_key_file) != 0))
			r = read_key(p, s->transfer_key_file, e);
	}
	return r;
}

static int list_zones(struct hints *h, struct err *e)
{
	const struct policy *p = &h->conf->policy;
	size_t i, j;

	h->zones = calloc(policy_n_zones(p) + 1, sizeof(*h->zones));
	if (h->zones == NULL)
		return err_nomem(e);
	for (i = 0; i < p->n_spaces; i++) {
		for (j = 0; j < p->spaces[i].n_zones; j++)
			h->zones[h->n_zones++].zone = &p->spaces[i].zones[j];
	}
	return 0;
}

int hints_open(struct hints **out, const struct conf *c, struct err *e)
{
	const struct conf_endpoint *at = &c->notify_listen;
	char text[IPADDR_TEXT];
	struct hints *h;
	int r;

	*out = NULL;
	if (at->address.family == 0)
		return 0;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return err_nomem(e);
	h->conf = c;
	h->looking = -1;
	r = list_peers(h, e);
	r = r < 0 ? r : list_zones(h, e);
	if (r == 0) {
		struct hint_handler handler = {h, knows, take};

		r = hint_sockets_open(&h->sockets, at, &handler, e);
	}
	if (r < 0) {
		hints_close(h);
		return r;
	}
	log_event(MSG_NOTIFY_LISTENS, "notify", "listens at %s, port %u",
		  ipaddr_print(text, &at->address), (unsigned)at->port);
	*out = h;
	return 0;
}

void hints_close(struct hints *h)
{
	size_t i, k;

	if (h == NULL)
		return;
	hint_sockets_close(h->sockets);
	for (i = 0; i < h->n_peers; i++) {
		for (k = 0; k < h->peers[i].n_keys; k++)
			key_wipe(&h->peers[i].keys[k]);
	}
	free(h->peers);
	free(h->keys);
	free(h->zones);
	free(h);
}

/* ---- following -------------------------------------------------------------------------- */

/* How long until a zone is to be looked at, at most ms; 0: one is, or there is no time. */
static int64_t until_next(const struct hints *h, int64_t now_ms, int64_t ms)
{
	size_t i;

	for (i = 0; i < h->n_zones; i++) {
		int64_t left = h->zones[i].not_before_ms - now_ms;

		if (h->zones[i].hinted && left < ms)
			ms = left;
	}
	return ms < 0 ? 0 : ms;
}

void hints_wait(struct hints *h, struct live *l, int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms, left_ms = 1;

	if (h == NULL) {
		live_wait(l, ms);
		return;
	}
	while (!live_stopped(l) && left_ms > 0) {
		int64_t now_ms = clock_mono_ms();

		/* What has come is answered even if there is no time to wait. */
		left_ms = until_next(h, now_ms, until_ms - now_ms);
		live_alive(l, l->said);
		hint_sockets_turn(h->sockets, live_fd(l), left_ms < PIECE_MS ? left_ms : PIECE_MS);
	}
}

static void looked(struct hints *h, int64_t now_ms)
{
	int64_t rest_ms = (now_ms - h->looking_since_ms) * LOOK_SHARE;

	if (h->looking >= 0)
		h->zones[h->looking].not_before_ms =
			now_ms + (rest_ms > LOOK_EVERY_MS ? rest_ms : LOOK_EVERY_MS);
	h->looking = -1;
}

void hints_again(struct hints *h, int zone)
{
	h->zones[zone].hinted = true;
}

int hints_next(struct hints *h)
{
	int64_t now_ms = clock_mono_ms();
	size_t i;

	if (h == NULL)
		return -1;
	looked(h, now_ms);
	for (i = 0; i < h->n_zones && h->looking < 0; i++) {
		if (!h->zones[i].hinted || h->zones[i].not_before_ms > now_ms)
			continue;
		h->zones[i].hinted = false;
		h->looking = (int)i;
		h->looking_since_ms = now_ms;
	}
	return h->looking;
}
