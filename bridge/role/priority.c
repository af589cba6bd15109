/* priority.c - setpriority(2), and the autogroup file of proc(5). */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/role/priority.h"

/* A tenth of what others get; a full compare still comes to its end beside them. */
enum { NICE = 10 };

static const char subject[] = "priority";

void priority_session_later(void)
{
	AUTO(own_closep) int fd = -1;
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", NICE);

	if (getsid(0) != getpid())
		return;
	fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, text, (size_t)n) != n)
		log_debug(subject, "this session is weighed as any other");
}

void priority_session_own(void)
{
	setsid();
}

void priority_later(void)
{
	if (getpriority(PRIO_PROCESS, 0) < NICE && setpriority(PRIO_PROCESS, 0, NICE) < 0)
		log_debug(subject, "this process is weighed as any other");
}
