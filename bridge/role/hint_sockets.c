/* hint_sockets.c - see hint_sockets.h. */
#include "bridge/role/hint_sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/dns/notify.h"
#include "bridge/value/sockaddr.h"

enum { BATCH = 200, BACKLOG = 16 };

struct client {
	int fd;                      /* -1: free */
	struct ipaddr from;
	int64_t since_ms;
	uint8_t in[2 + NOTIFY_MAX];
	size_t len;
};

struct hint_sockets {
	struct hint_handler h;
	int udp, tcp;
	struct client clients[HINT_TCP_MAX];
	struct buf answer;
};

/* ---- addresses -------------------------------------------------------------------------- */

/* An IPv4 address that came to an IPv6 socket is one. */
static struct ipaddr take_address(const union sockaddr_any *a)
{
	struct ipaddr out = {.family = 0};

	if (a->sa.sa_family == AF_INET) {
		out.family = 4;
		memcpy(out.b, &a->v4.sin_addr, 4);
	} else if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
		out.family = 4;
		memcpy(out.b, a->v6.sin6_addr.s6_addr + 12, 4);
	} else if (a->sa.sa_family == AF_INET6) {
		out.family = 6;
		memcpy(out.b, a->v6.sin6_addr.s6_addr, 16);
	}
	return out;
}

static int bind_socket(int type, const union sockaddr_any *a, socklen_t len)
{
	int fd = socket(a->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	/* A listener that was started again must not wait for connections of before. */
	if ((type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    bind(fd, &a->sa, len) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
		int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

/* ---- messages --------------------------------------------------------------------------- */

static const struct buf *answer_to(struct hint_sockets *s, const struct ipaddr *from,
				   const uint8_t *p, size_t len)
{
	buf_reset(&s->answer);
	s->h.take(s->h.arg, from, p, len, &s->answer);
	return s->answer.bad || s->answer.len == 0 ? NULL : &s->answer;
}

static bool take_datagram(struct hint_sockets *s)
{
	uint8_t in[NOTIFY_MAX + 1];
	union sockaddr_any a;
	socklen_t len = sizeof(a);
	ssize_t n = recvfrom(s->udp, in, sizeof(in), 0, &a.sa, &len);
	const struct buf *answer;
	struct ipaddr from;

	if (n < 0)
		return errno == EINTR;
	from = take_address(&a);
	answer = from.family == 0 ? NULL : answer_to(s, &from, in, (size_t)n);
	/* One that cannot be sent is asked for again. */
	if (answer != NULL)
		(void)!sendto(s->udp, answer->p, answer->len, 0, &a.sa, len);
	return true;
}

static void hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->len = 0;
}

static bool send_answer(struct client *c, const struct buf *answer)
{
	uint8_t head[2] = {(uint8_t)(answer->len >> 8), (uint8_t)answer->len};
	struct iovec v[2] = {{head, 2}, {answer->p, answer->len}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

	/* So few bytes that a connection which does not take them at once is not worth keeping. */
	return sendmsg(c->fd, &m, MSG_NOSIGNAL) == (ssize_t)(2 + answer->len);
}

/* Every whole message that has come.  False: the connection is of no use any more. */
static bool take_messages(struct hint_sockets *s, struct client *c)
{
	while (c->len >= 2) {
		size_t n = (size_t)(c->in[0] << 8 | c->in[1]);
		const struct buf *answer;

		if (n > NOTIFY_MAX)
			return false;
		if (c->len < 2 + n)
			return true;
		answer = answer_to(s, &c->from, c->in + 2, n);
		if (answer == NULL || !send_answer(c, answer))
			return false;
		c->len -= 2 + n;
		memmove(c->in, c->in + 2 + n, c->len);
	}
	return true;
}

static void take_bytes(struct hint_sockets *s, struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(c);
		return;
	}
	c->len += (size_t)n;
	if (!take_messages(s, c))
		hang_up(c);
}

static struct client *oldest(struct hint_sockets *s)
{
	struct client *c = &s->clients[0];
	size_t i;

	for (i = 0; i < HINT_TCP_MAX; i++) {
		if (s->clients[i].fd < 0)
			return &s->clients[i];
		if (s->clients[i].since_ms < c->since_ms)
			c = &s->clients[i];
	}
	return c;
}

static bool take_connection(struct hint_sockets *s)
{
	union sockaddr_any a;
	socklen_t len = sizeof(a);
	int fd = accept4(s->tcp, &a.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ipaddr from;
	struct client *c;

	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	from = take_address(&a);
	if (!s->h.knows(s->h.arg, &from)) {
		close(fd);
		return true;
	}
	c = oldest(s);
	hang_up(c);
	c->fd = fd;
	c->from = from;
	c->since_ms = clock_mono_ms();
	return true;
}

/* ---- the whole -------------------------------------------------------------------------- */

int hint_sockets_open(struct hint_sockets **out, const struct conf_endpoint *at,
		      const struct hint_handler *h, struct err *e)
{
	struct hint_sockets *s = calloc(1, sizeof(*s));
	char text[IPADDR_TEXT];
	union sockaddr_any a;
	socklen_t len = sockaddr_put(&a, &at->address, at->port);
	size_t i;

	if (s == NULL)
		return err_nomem(e);
	s->h = *h;
	for (i = 0; i < HINT_TCP_MAX; i++)
		s->clients[i].fd = -1;
	s->tcp = -1;
	s->udp = bind_socket(SOCK_DGRAM, &a, len);
	if (s->udp >= 0)
		s->tcp = bind_socket(SOCK_STREAM, &a, len);
	if (s->tcp < 0) {
		err_sys(e, errno, "listening for NOTIFY at %s, port %u",
			ipaddr_print(text, &at->address), (unsigned)at->port);
		err_hint(e, "another program may use it, or ports below 1024 are not for this user: "
			 "change \"notify-listen\"");
		hint_sockets_close(s);
		return ERR_SYS;
	}
	*out = s;
	return 0;
}

void hint_sockets_close(struct hint_sockets *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < HINT_TCP_MAX; i++)
		hang_up(&s->clients[i]);
	if (s->udp >= 0)
		close(s->udp);
	if (s->tcp >= 0)
		close(s->tcp);
	buf_fini(&s->answer);
	free(s);
}

/* Ends those whose time is over.  How long the others have, at most ms. */
static int64_t end_late(struct hint_sockets *s, int64_t ms)
{
	int64_t now_ms = clock_mono_ms();
	size_t i;

	for (i = 0; i < HINT_TCP_MAX; i++) {
		struct client *c = &s->clients[i];
		int64_t left = c->since_ms + HINT_TCP_MS - now_ms;

		if (c->fd >= 0 && left <= 0)
			hang_up(c);
		else if (c->fd >= 0 && left < ms)
			ms = left;
	}
	return ms < 0 ? 0 : ms;
}

void hint_sockets_turn(struct hint_sockets *s, int fd, int64_t ms)
{
	struct pollfd p[3 + HINT_TCP_MAX] = {{.fd = fd, .events = POLLIN},
					     {.fd = s->udp, .events = POLLIN},
					     {.fd = s->tcp, .events = POLLIN}};
	size_t i;
	int n;

	ms = end_late(s, ms);
	for (i = 0; i < HINT_TCP_MAX; i++)
		p[3 + i] = (struct pollfd){.fd = s->clients[i].fd, .events = POLLIN};
	if (poll(p, 3 + HINT_TCP_MAX, (int)(ms > 60000 ? 60000 : ms)) <= 0)
		return;
	for (n = 0; p[1].revents != 0 && n < BATCH && take_datagram(s); n++)
		;
	for (i = 0; i < HINT_TCP_MAX; i++) {
		if (p[3 + i].revents != 0)
			take_bytes(s, &s->clients[i]);
	}
	for (n = 0; p[2].revents != 0 && n < BATCH && take_connection(s); n++)
		;
}
