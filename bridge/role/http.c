/* http.c - metrics and health by HTTP, as section "http" of the configuration asks.
 *
 *	/metrics  text exposition for Prometheus; 503 when the database does not answer
 *	/livez    200 while the loop turns
 *	/readyz   200, or 503 with what fails: {"ready": false, "failing": [{part, name, error}]}
 *
 * The session may look and not write: role ipambridge_reader where the user is a member of it,
 * and read-only transactions in any case.  What the database said is given out again for a
 * second; while it does not answer it is asked every few seconds only, so that the loop turns.
 *
 * A client has one request and CLIENT_S seconds; CLIENTS_MAX are served at a time, the others
 * wait in the kernel's queue.  libevent limits neither, so once a turn the connections are looked
 * for among our own descriptors, and the old ones shut down.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/report/health.h"
#include "bridge/report/metrics.h"
#include "bridge/role/roles.h"

enum {
	STATEMENT_S = 2,
	SCRAPE_MS = 5000,      /* all statements of one answer */
	FRESH_MS = 1000,
	AWAY_MS = 5000,        /* the database is not asked again so soon after a failure */
	CLIENT_S = 10,
	CLIENTS_MAX = 64,
	FDS_MAX = 256,         /* descriptors looked at: far more than we ever have */
	HEADERS_MAX = 8192,
	BODY_MAX = 1024,
};

/* An answer that is given out for a while. */
struct page {
	struct buf text;
	int status;
	int64_t until_ms;      /* 0: none yet */
};

/* A descriptor that was a client's connection when last looked at. */
struct client {
	ino_t socket;          /* 0: none */
	int64_t since_ms;
};

struct http {
	struct live *live;
	struct pg *pg;         /* NULL: not connected */
	struct err away;       /* code 0: it answered last */
	int64_t away_until_ms;
	struct page metrics, ready;
	struct event_base *base;
	struct evhttp *server;
	struct evconnlistener *listener;
	struct event *turn, *stop;
	struct client clients[FDS_MAX];
	unsigned n_clients;
	bool full;             /* the listener is off */
};

/* ---- the database ------------------------------------------------------------------------ */

static int open_session(struct http *h, struct err *e)
{
	int r = pg_open(&h->pg, h->live->conf->database, "http", STATEMENT_S, e);

	r = r < 0 ? r : pg_run(h->pg, "select set_config('default_transaction_read_only', 'on', "
			       "false)", NULL, e);
	return r < 0 ? r : pg_set_role(h->pg, "ipambridge_reader", e);
}

/* Whatever went wrong, the next try has a new session. */
static void lose(struct http *h, const struct err *e)
{
	if (h->away.code == 0)
		log_event(MSG_DATABASE_LOST, "http", "asking the database, failed (%s)%s%s", e->text,
			  e->hint[0] != '\0' ? "; hint: " : "", e->hint);
	pg_closep(&h->pg);
	h->away = *e;
	h->away_until_ms = clock_mono_ms() + AWAY_MS;
}

static void answered(struct http *h)
{
	if (h->away.code != 0)
		log_event(MSG_DATABASE_BACK, "http", "the database answers again");
	h->away.code = 0;
}

typedef int (*question)(struct http *h, void *into, struct err *e);

/* Negative: the database does not answer. */
static int ask(struct http *h, question q, void *into, struct err *e)
{
	int r = 0;

	if (clock_mono_ms() < h->away_until_ms) {
		*e = h->away;
		return e->code;
	}
	live_busy(h->live, SCRAPE_MS + 2 * STATEMENT_S * 1000, "asking the database");
	if (h->pg == NULL)
		r = open_session(h, e);
	r = r < 0 ? r : q(h, into, e);
	live_alive(h->live, r < 0 ? "the database does not answer" : "serving");
	if (r < 0)
		lose(h, e);
	else
		answered(h);
	return r < 0 ? r : 0;
}

/* ---- pages ------------------------------------------------------------------------------- */

static bool fresh(const struct page *p)
{
	return clock_mono_ms() < p->until_ms;
}

static void page_done(struct page *p, int status)
{
	p->status = p->text.bad ? HTTP_INTERNAL : status;
	p->until_ms = clock_mono_ms() + FRESH_MS;
}

static int ask_metrics(struct http *h, void *into, struct err *e)
{
	return report_metrics(into, h->pg, &h->live->conf->policy, clock_mono_ms() + SCRAPE_MS, e);
}

static void make_metrics(struct http *h)
{
	struct page *p = &h->metrics;
	struct err e = {0};
	int r;

	buf_reset(&p->text);
	r = ask(h, ask_metrics, &p->text, &e);
	if (r < 0) {
		buf_reset(&p->text);
		buf_str(&p->text, "the database does not answer\n");
	}
	page_done(p, r < 0 ? HTTP_SERVUNAVAIL : HTTP_OK);
}

static void add_failing(void *arg, const struct report_failing *row)
{
	struct buf clean = BUF_INIT;

	/* A server's words may be anything. */
	buf_escaped(&clean, row->error, strlen(row->error));
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s}", "part", row->part, "name", row->name,
					     "error", buf_text(&clean)));
	buf_fini(&clean);
}

static int ask_health(struct http *h, void *into, struct err *e)
{
	return report_health(h->pg, h->live->conf, add_failing, into, e);
}

static int dump(const char *p, size_t len, void *arg)
{
	buf_add(arg, p, len);
	return 0;
}

static void make_ready(struct http *h)
{
	struct page *p = &h->ready;
	struct err e = {0};
	json_t *failing = json_array(), *all;
	bool ready;

	if (ask(h, ask_health, failing, &e) < 0) {
		struct report_failing database = {"database", "", e.text};

		json_array_clear(failing);
		add_failing(failing, &database);
	}
	ready = json_array_size(failing) == 0;
	all = json_pack("{s:b, s:o}", "ready", ready, "failing", failing);
	buf_reset(&p->text);
	if (json_dump_callback(all, dump, &p->text, JSON_ENSURE_ASCII) < 0)
		p->text.bad = true;
	buf_chr(&p->text, '\n');
	json_decref(all);
	page_done(p, ready ? HTTP_OK : HTTP_SERVUNAVAIL);
}

/* ---- requests ---------------------------------------------------------------------------- */

/* The connection ends with the answer; one that breaks before is found by the next turn. */
static void on_sent(struct evhttp_request *req, void *arg)
{
	struct http *h = arg;

	(void)req;
	h->n_clients -= h->n_clients > 0;
}

static void reply(struct http *h, struct evhttp_request *req, int status, const char *type,
		  const char *text, size_t len)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();

	if (body == NULL || evbuffer_add(body, text, len) < 0)
		status = HTTP_INTERNAL;
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Connection", "close");
	evhttp_request_set_on_complete_cb(req, on_sent, h);
	evhttp_send_reply(req, status, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void reply_page(struct http *h, struct evhttp_request *req, const struct page *p,
		       const char *type)
{
	reply(h, req, p->status, type, buf_text(&p->text), p->text.bad ? 0 : p->text.len);
}

static void on_metrics(struct evhttp_request *req, void *arg)
{
	struct http *h = arg;

	if (!fresh(&h->metrics))
		make_metrics(h);
	reply_page(h, req, &h->metrics, "text/plain; version=0.0.4; charset=utf-8");
}

static void on_readyz(struct evhttp_request *req, void *arg)
{
	struct http *h = arg;

	if (!fresh(&h->ready))
		make_ready(h);
	reply_page(h, req, &h->ready, "application/json");
}

static void on_livez(struct evhttp_request *req, void *arg)
{
	static const char live[] = "{\"live\": true}\n";

	reply(arg, req, HTTP_OK, "application/json", live, sizeof(live) - 1);
}

static void on_other(struct evhttp_request *req, void *arg)
{
	static const char text[] = "there are /metrics, /livez and /readyz\n";

	reply(arg, req, HTTP_NOTFOUND, "text/plain", text, sizeof(text) - 1);
}

/* ---- clients ----------------------------------------------------------------------------- */

static uint16_t port_of(const struct sockaddr_storage *s)
{
	return ntohs(s->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)s)->sin6_port
					      : ((const struct sockaddr_in *)s)->sin_port);
}

/* The socket of a connection to our port; 0: something else. */
static ino_t client_at(const struct http *h, int fd)
{
	struct sockaddr_storage own = {0};
	socklen_t len = sizeof(own), size = sizeof(int);
	struct stat st;
	int listens = 0;

	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) ||
	    getsockname(fd, (struct sockaddr *)&own, &len) < 0 ||
	    (own.ss_family != AF_INET && own.ss_family != AF_INET6) ||
	    port_of(&own) != h->live->conf->http.port ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || listens)
		return 0;
	return st.st_ino;
}

static void watch_client(struct http *h, int fd, int64_t now_ms)
{
	struct client *c = &h->clients[fd];
	ino_t is = client_at(h, fd);

	h->n_clients += is != 0;
	if (is != c->socket)
		*c = (struct client){is, now_ms};
	else if (is != 0 && now_ms - c->since_ms >= CLIENT_S * 1000)
		shutdown(fd, SHUT_RDWR);
}

static void set_full(struct http *h, bool full)
{
	if (full == h->full)
		return;
	h->full = full;
	if (full)
		evconnlistener_disable(h->listener);
	else
		evconnlistener_enable(h->listener);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	h->n_clients = 0;
	for (int i = 0; i < FDS_MAX; i++)
		watch_client(h, i, now_ms);
	set_full(h, h->n_clients >= CLIENTS_MAX);
	live_alive(h->live, h->away.code != 0 ? "the database does not answer" : "serving");
}

static struct bufferevent *on_client(struct event_base *base, void *arg)
{
	struct http *h = arg;

	set_full(h, ++h->n_clients >= CLIENTS_MAX);
	return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
}

/* ---- the role ---------------------------------------------------------------------------- */

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static int listen_at(struct http *h, struct err *e)
{
	const struct conf_endpoint *at = &h->live->conf->http;
	struct evhttp_bound_socket *socket;
	char text[IPADDR_TEXT];

	ipaddr_print(text, &at->address);
	socket = evhttp_bind_socket_with_handle(h->server, text, at->port);
	if (socket == NULL) {
		err_sys(e, EVUTIL_SOCKET_ERROR(), "listening at %s, port %u", text,
			(unsigned)at->port);
		err_hint(e, "another program may use it: change \"listen\" in section \"http\"");
		return ERR_SYS;
	}
	h->listener = evhttp_bound_socket_get_listener(socket);
	log_event(MSG_HTTP_LISTENS, "http", "listens at %s, port %u", text, (unsigned)at->port);
	return 0;
}

static int start_server(struct http *h, struct err *e)
{
	h->server = evhttp_new(h->base);
	if (h->server == NULL || evhttp_set_cb(h->server, "/metrics", on_metrics, h) < 0 ||
	    evhttp_set_cb(h->server, "/livez", on_livez, h) < 0 ||
	    evhttp_set_cb(h->server, "/readyz", on_readyz, h) < 0)
		return err_nomem(e);
	evhttp_set_gencb(h->server, on_other, h);
	evhttp_set_bevcb(h->server, on_client, h);
	evhttp_set_allowed_methods(h->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(h->server, HEADERS_MAX);
	evhttp_set_max_body_size(h->server, BODY_MAX);
	evhttp_set_timeout(h->server, CLIENT_S);
	return listen_at(h, e);
}

static int start_events(struct http *h, struct err *e)
{
	static const struct timeval second = {1, 0};

	h->base = event_base_new();
	if (h->base == NULL)
		return err_nomem(e);
	h->turn = event_new(h->base, -1, EV_PERSIST, on_turn, h);
	h->stop = event_new(h->base, live_fd(h->live), EV_READ, on_stop, h->base);
	if (h->turn == NULL || h->stop == NULL || event_add(h->turn, &second) < 0 ||
	    event_add(h->stop, NULL) < 0)
		return err_nomem(e);
	return 0;
}

static void http_fini(struct http *h)
{
	if (h->server != NULL)
		evhttp_free(h->server);
	if (h->turn != NULL)
		event_free(h->turn);
	if (h->stop != NULL)
		event_free(h->stop);
	if (h->base != NULL)
		event_base_free(h->base);
	pg_close(h->pg);
	buf_fini(&h->metrics.text);
	buf_fini(&h->ready.text);
}

int role_http(struct live *l, struct err *e)
{
	AUTO(http_fini) struct http h = {.live = l};
	int r;

	r = start_events(&h, e);
	r = r < 0 ? r : start_server(&h, e);
	if (r < 0)
		return r;
	live_alive(l, "serving");
	if (event_base_dispatch(h.base) < 0)
		return err_set(e, ERR_SYS, "the event loop broke");
	return 0;
}
