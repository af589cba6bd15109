/* kea_hook.c - what Kea's run_script hook starts for each event: tells the daemon, or spools.
 *
 * Kea starts many of these at once and waits for none, with an environment that holds the event
 * and nothing else.  So no configuration is read, nothing is waited for but the disk, and the
 * exit code is 0 whatever happens: there is nobody to act on another.
 */

#include "bridge/cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "adapters/kea/kea_hook.h"
#include "adapters/kea/kea_hook_decode.h"
#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/base/spool.h"

/* Where a source of type kea-hook is by default. */
#define STATE_DIR "/var/lib/ipambridge/"

static const char *from_environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

/* 0, or why not. */
static int send_record(const char *path, const struct buf *record)
{
	AUTO(own_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(to.sun_path))
		return ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	if (fd < 0 || sendto(fd, record->p, record->len, MSG_NOSIGNAL,
			     (const struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return 0;
}

static int spool_record(const char *path, const struct buf *record, struct err *e)
{
	AUTO(spool_close) struct spool s = SPOOL_INIT;
	int r = spool_open(&s, path, e);

	if (r == 0)
		r = spool_append(&s, record->p, record->len, KEA_HOOK_SPOOL_MAX, e);
	if (r == SPOOL_FULL)
		return err_set(e, ERR_BUSY, "spool \"%s\" is full", path);
	return r;
}

static void tell(const struct cli *c, const struct buf *record)
{
	const char *given_socket = cli_val(c, "socket"), *given_spool = cli_val(c, "spool");
	const char *path = given_socket != NULL ? given_socket : STATE_DIR KEA_HOOK_SOCKET;
	struct err e = {0};
	int why = send_record(path, record);

	if (why == 0)
		return;
	log_info("kea-hook", "sending to \"%s\", failed (%s), spooled", path, strerror(why));
	path = given_spool != NULL ? given_spool : STATE_DIR KEA_HOOK_SPOOL;
	if (spool_record(path, record, &e) < 0)
		log_event(MSG_EVENTS_LOST, "kea-hook", "%s, lost (%s; %s)", c->arg[0], strerror(why), e.text);
}

int verb_kea_hook(struct cli *c)
{
	AUTO(buf_fini) struct buf record = BUF_INIT;

	if (!kea_hook_known(c->arg[0])) {
		log_warn("kea-hook", "event \"%s\" is not known, nothing is told", c->arg[0]);
		return EXIT_DONE;
	}
	kea_hook_encode(&record, c->arg[0], from_environment, NULL);
	if (record.bad)
		log_event(MSG_EVENTS_LOST, "kea-hook", "%s, lost (out of memory)", c->arg[0]);
	else
		tell(c, &record);
	return EXIT_DONE;
}
