/* conn.c - sockets to name servers, and the sentences about what servers said. */
#include "bridge/dns/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/base/own.h"
#include "bridge/value/sockaddr.h"

enum { KEEPALIVE_IDLE_S = 30, KEEPALIVE_EVERY_S = 10, KEEPALIVE_COUNT = 3 };

/* Best effort: a socket without these still works, only slower to notice a dead peer. */
static void set_options(int fd)
{
	int on = 1, idle = KEEPALIVE_IDLE_S, every = KEEPALIVE_EVERY_S, count = KEEPALIVE_COUNT;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
}

int conn_open(const struct server *s)
{
	union sockaddr_any sa;
	socklen_t len;
	AUTO(own_closep) int fd = socket(s->addr.family == 4 ? AF_INET : AF_INET6,
					 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_options(fd);
	if (s->source.family != 0) {
		len = sockaddr_put(&sa, &s->source, 0);
		if (bind(fd, &sa.sa, len) < 0)
			return -1;
	}
	len = sockaddr_put(&sa, &s->addr, s->port);
	if (connect(fd, &sa.sa, len) < 0 && errno != EINPROGRESS && errno != EINTR)
		return -1;
	int r = fd;
	fd = -1;
	return r;
}

int conn_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

bool conn_is_dead(int fd)
{
	char c;
	ssize_t r = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

	return r == 0 || (r < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

ssize_t conn_write(int fd, const void *p, size_t len)
{
	ssize_t r;

	do
		r = send(fd, p, len, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r;
}

/* BIND holds a second small answer back until the first is acknowledged (Nagle), and Linux takes
 * 40 ms for that unless it is told not to wait; it forgets, so it is told each time. */
ssize_t conn_read(int fd, void *p, size_t len)
{
	int on = 1;
	ssize_t r;

	do
		r = recv(fd, p, len, 0);
	while (r < 0 && errno == EINTR);
	if (r > 0)
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	return r;
}

const char *conn_words(int errnum)
{
	const char *s = errnum == 0 ? "connection closed by the server" :
				      strerrordesc_np(errnum);

	return s != NULL ? s : "unknown error";
}

const char *server_print(char out[SERVER_TEXT], const struct server *s)
{
	char addr[IPADDR_TEXT];

	snprintf(out, SERVER_TEXT, "server \"%.80s\" (%s port %u)", s->name,
		 ipaddr_print(addr, &s->addr), s->port);
	return out;
}

static const char *tsig_error_name(uint16_t error)
{
	switch (error) {
	case TSIG_BADSIG:
		return "BADSIG";
	case TSIG_BADKEY:
		return "BADKEY";
	case TSIG_BADTIME:
		return "BADTIME";
	case TSIG_BADTRUNC:
		return "BADTRUNC";
	default:
		return "an unknown TSIG error";
	}
}

static int tsig_err(const char *who, const struct server *s, const struct answer *a, struct err *e)
{
	err_set(e, ERR_DENIED, "%s answered %s with %s%s", who, rcode_name(a->rcode),
		tsig_error_name(a->tsig_error), a->verified ? "" : ", unsigned");
	if (a->tsig_error == TSIG_BADTIME && a->clock_diff_s != 0)
		err_hint(e, "its clock is %" PRId64 " s %s ours; set both by NTP",
			 a->clock_diff_s < 0 ? -a->clock_diff_s : a->clock_diff_s,
			 a->clock_diff_s < 0 ? "behind" : "ahead of");
	else if (a->tsig_error == TSIG_BADTIME)
		err_hint(e, "the clocks differ by more than 300 s; set both by NTP");
	else if (s->key != NULL && a->tsig_error == TSIG_BADKEY)
		err_hint(e, "is its key named as ours and of algorithm %s?", s->key->alg->name);
	else
		err_hint(e, "is its key's secret the one in our key file?");
	return ERR_DENIED;
}

static int rcode_err(const char *who, const struct server *s, const struct answer *a,
		     struct err *e)
{
	bool doubt = s->key != NULL && !a->verified;
	int code = a->rcode == RCODE_SERVFAIL ? ERR_PROTO : ERR_DENIED;

	err_set(e, code, "%s answered %s%s", who, rcode_name(a->rcode), doubt ? ", unsigned" : "");
	if (a->rcode == RCODE_SERVFAIL)
		err_hint(e, "the server's own log says why");
	else if (s->key == NULL)
		err_hint(e, "no key is set for this server; does it ask for one?");
	else if (doubt && a->rcode == RCODE_REFUSED)
		err_hint(e, "PowerDNS answers so to a wrong key, secret or clock, Knot when it has "
			    "no such zone");
	else if (doubt && a->rcode == RCODE_NOTAUTH)
		err_hint(e, "PowerDNS answers so to a wrong key, secret or clock; else: is the zone "
			    "loaded there, and as a primary?");
	else if (a->rcode == RCODE_NOTAUTH)
		err_hint(e, "is the zone loaded there, and as a primary?");
	else if (a->rcode == RCODE_REFUSED)
		err_hint(e, "is the zone loaded there, and does its policy grant this to the key?");
	return code;
}

int answer_err(const struct server *s, const struct answer *a, struct err *e)
{
	char who[SERVER_TEXT];
	const char *more = a->detail != NULL ? a->detail : "nothing came";

	server_print(who, s);
	switch (a->end) {
	case ANSWER_TIMEOUT:
		err_set(e, ERR_BUSY, "%s gave no answer in %" PRId64 " ms (%s)", who,
			s->timeout_ms, more);
		err_hint(e, "what was sent may still be done; is the server running and idle?");
		return ERR_BUSY;
	case ANSWER_LOST:
		err_set(e, ERR_SYS, "%s: connection lost before the answer: %s", who, more);
		err_hint(e, "did it restart, or does something between close connections?");
		return ERR_SYS;
	case ANSWER_UNSENT:
		err_set(e, ERR_SYS, "%s can not be reached: %s", who, more);
		err_hint(e, "is it running, and does it listen on TCP there?");
		return ERR_SYS;
	case ANSWER_REPLY:
		break;
	}
	return a->tsig_error != 0 ? tsig_err(who, s, a, e) : rcode_err(who, s, a, e);
}
