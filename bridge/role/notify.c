/* notify.c - datagrams of VARIABLE=VALUE lines to the socket that the environment names. */
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bridge/base/buf.h"
#include "bridge/base/own.h"
#include "bridge/role/notify.h"

/* "/path", or "@name" for one without a file.  Other kinds have no manager on this machine. */
static socklen_t socket_address(struct sockaddr_un *a)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path != NULL ? strlen(path) : 0;

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n < 2 || n >= sizeof(a->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	memcpy(a->sun_path, path, n);
	if (path[0] == '@')
		a->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static bool send_message(const char *text, size_t len)
{
	AUTO(own_closep) int fd = -1;
	struct sockaddr_un a;
	socklen_t size = socket_address(&a);
	struct pollfd p;

	if (size == 0)
		return true;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, size) < 0)
		return false;
	p = (struct pollfd){.fd = fd, .events = POLLOUT};
	if (poll(&p, 1, NOTIFY_WAIT_MS) <= 0)
		return false;
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool say(const char *text)
{
	return send_message(text, strlen(text));
}

bool notify_ready(void)
{
	return say("READY=1");
}

/* The time tells this reload from an earlier one. */
void notify_reloading(void)
{
	struct timespec t;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		 (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	say(text);
}

void notify_stopping(void)
{
	say("STOPPING=1\nSTATUS=stopping");
}

/* A line end would begin another assignment. */
bool notify_status(const char *text)
{
	enum { TEXT_MAX = 4000 };
	struct buf b = BUF_INIT;
	bool said;

	buf_str(&b, "STATUS=");
	for (size_t i = 0; i < TEXT_MAX && text[i] != '\0'; i++)
		buf_chr(&b, text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	said = !b.bad && send_message(b.p, b.len);
	buf_fini(&b);
	return said;
}

void notify_alive(void)
{
	say("WATCHDOG=1");
}

/* Set for another process, our parent for one, it is not ours to answer. */
static bool is_for_us(void)
{
	const char *pid = getenv("WATCHDOG_PID");

	return pid == NULL || strtol(pid, NULL, 10) == (long)getpid();
}

int64_t notify_every_ms(void)
{
	const char *limit = getenv("WATCHDOG_USEC");
	int64_t limit_us = limit != NULL && is_for_us() ? strtoll(limit, NULL, 10) : 0;

	return limit_us > 0 ? limit_us / 2000 + (limit_us < 2000) : 0;
}
