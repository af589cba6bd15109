/* notify.c - sd_notify(3), where there is libsystemd. */
#include "bridge/role/notify.h"

#ifdef HAVE_SYSTEMD

#include <inttypes.h>
#include <stddef.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "bridge/base/buf.h"

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

/* The time tells this reload from an earlier one. */
void notify_reloading(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		   (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

/* A line end would begin another assignment. */
void notify_status(const char *text)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "STATUS=");
	for (; *text != '\0'; text++)
		buf_chr(&b, *text >= ' ' && *text <= '~' ? *text : '?');
	if (!b.bad)
		sd_notify(0, buf_text(&b));
	buf_fini(&b);
}

void notify_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

int64_t notify_every_ms(void)
{
	uint64_t limit_us;

	return sd_watchdog_enabled(0, &limit_us) > 0 ? (int64_t)(limit_us / 2000) : 0;
}

#else

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_status(const char *text)
{
	(void)text;
}

void notify_alive(void)
{
}

int64_t notify_every_ms(void)
{
	return 0;
}

#endif
