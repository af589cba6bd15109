/* neighbour.c - gets a neighbour table from the kernel, a file, standard input or a command.
 *
 * A table is small (some 100 bytes an entry), so it is taken whole, made unique, and given out
 * in portions.
 */

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/neighbour/neighbour.h"
#include "adapters/neighbour/neighbour_decode.h"
#include "adapters/neighbour/neighbour_netlink_decode.h"
#include "adapters/transport/command.h"
#include "adapters/transport/file.h"
#include "bridge/base/clock.h"
#include "bridge/base/own.h"

enum {
	BATCH_MAX = 4000,
	DUMP_TRIES = 5,
	DUMP_BYTES = 64 * 1024, /* the kernel fills at most 32 KiB of a datagram */
	POLL_MAX_MS = 60000,
};

struct neighbour {
	struct adapter base;
	struct arena arena; /* of the settings below */
	enum neighbour_format format;
	const char *path; /* NULL: no file */
	const char **argv; /* NULL: no command */
	size_t n_argv;
	const char **interfaces;
	size_t n_interfaces;
	struct obs_batch all;
	bool loaded;
	size_t at; /* of all, given out so far */
};

/* ---- the kernel's own table -------------------------------------------------------------- */

/* if_indextoname is a system call or two; a table has few interfaces and many entries. */
struct names {
	struct {
		uint32_t index;
		char name[IF_NAMESIZE];
	} v[32];
};

static const char *name_of(void *ctx, uint32_t index)
{
	struct names *n = ctx;
	size_t i = index % (sizeof(n->v) / sizeof(n->v[0]));

	if (n->v[i].index != index) {
		n->v[i].index = 0;
		if (if_indextoname(index, n->v[i].name) == NULL)
			return NULL;
		n->v[i].index = index;
	}
	return n->v[i].name;
}

static void mnl_closep(struct mnl_socket **s)
{
	if (*s != NULL)
		mnl_socket_close(*s);
}

static int dump_ask(struct mnl_socket *s, uint32_t seq, struct err *e)
{
	char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ndmsg *nd;

	h->nlmsg_type = RTM_GETNEIGH;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));
	nd->ndm_family = AF_UNSPEC; /* both */
	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		return err_sys(e, errno, "asking the kernel for its neighbours");
	return 0;
}

static int dump_wait(struct mnl_socket *s, int64_t until_ms, struct err *e)
{
	struct pollfd p = {.fd = mnl_socket_get_fd(s), .events = POLLIN};
	int r;

	do {
		int64_t left = until_ms - clock_mono_ms();

		if (left <= 0)
			return err_set(e, ERR_BUSY,
				       "the kernel did not answer before the deadline");
		r = poll(&p, 1, left > POLL_MAX_MS ? POLL_MAX_MS : (int)left);
	} while (r == 0 || (r < 0 && errno == EINTR));
	return r < 0 ? err_sys(e, errno, "waiting for the kernel") : 0;
}

/* NETLINK_DONE, NETLINK_AGAIN or negative. */
static int dump_once(struct obs_batch *into, const struct neighbour_rules *rules, int64_t until_ms,
		     struct err *e)
{
	AUTO(mnl_closep) struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buf[DUMP_BYTES];
	struct names names = {0};
	struct netlink_rules nr = {
	    .rules = rules,
	    .seq = (uint32_t)clock_random() | 1,
	    .ticks_per_s = sysconf(_SC_CLK_TCK),
	    .ifname = name_of,
	    .ifname_ctx = &names,
	};
	int r;

	if (s == NULL || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		return err_sys(e, errno, "opening a netlink socket");
	r = dump_ask(s, nr.seq, e);
	while (r == 0) {
		ssize_t n;

		r = dump_wait(s, until_ms, e);
		if (r < 0)
			break;
		n = mnl_socket_recvfrom(s, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS)
			return NETLINK_AGAIN;
		if (n < 0)
			return err_sys(e, errno, "reading the kernel's neighbours");
		r = neighbour_netlink_decode(into, buf, (size_t)n, &nr, e);
	}
	return r;
}

/* A name that is wrong, or an interface that is down for now, is not an empty table. */
static int check_interfaces(const struct neighbour *a, struct err *e)
{
	for (size_t i = 0; i < a->n_interfaces; i++) {
		if (if_nametoindex(a->interfaces[i]) != 0)
			continue;
		err_set(e, ERR_SYS, "interface \"%s\" does not exist", a->interfaces[i]);
		err_hint(e, "\"ip link\" shows those that do");
		return ERR_SYS;
	}
	return 0;
}

static int load_kernel(struct neighbour *a, const struct neighbour_rules *rules, int64_t until_ms,
		       struct err *e)
{
	int r = check_interfaces(a, e);

	if (r < 0)
		return r;
	for (int i = 0; i < DUMP_TRIES; i++) {
		obs_batch_reset(&a->all);
		r = dump_once(&a->all, rules, until_ms, e);
		if (r != NETLINK_AGAIN)
			return r < 0 ? r : 0;
	}
	return err_set(e, ERR_BUSY, "the neighbour table changed faster than it could be read");
}

/* ---- text -------------------------------------------------------------------------------- */

static int load_text(struct neighbour *a, struct neighbour_rules *rules, int64_t until_ms,
		     struct err *e)
{
	AUTO(buf_fini) struct buf text = BUF_INIT;
	int64_t written_s = 0;
	int r;

	if (a->argv != NULL)
		r = command_run(&text, a->argv, a->n_argv, TRANSPORT_MAX, until_ms, e);
	else
		r = file_read(&text, &written_s, a->path, TRANSPORT_MAX, until_ms, e);
	if (r < 0)
		return r;
	/* A file somebody wrote earlier shows what was seen then: ages count from there. */
	if (written_s != 0)
		rules->now_s = rules->seen_s = written_s;
	r = neighbour_decode(&a->all, a->format, buf_text(&text), text.len, rules, e);
	if (r < 0)
		err_hint(e, "look at what it shows; formats are proc, iproute, bsd and auto");
	if (r < 0 && a->argv != NULL)
		return err_in(e, r, "command \"%s\"", a->argv[0]);
	return r < 0 ? err_in(e, r, "file \"%s\"", a->path) : 0;
}

/* ---- giving out -------------------------------------------------------------------------- */

static int load(struct neighbour *a, int64_t until_ms, struct err *e)
{
	struct neighbour_rules rules = {
	    .interfaces = a->interfaces,
	    .n_interfaces = a->n_interfaces,
	    .now_s = clock_wall_s(),
	};
	int r;

	obs_batch_reset(&a->all);
	a->at = 0;
	if (a->format == NEIGHBOUR_KERNEL)
		r = load_kernel(a, &rules, until_ms, e);
	else
		r = load_text(a, &rules, until_ms, e);
	if (r == 0)
		neighbour_unique(&a->all);
	return r;
}

static void report_bad(struct obs_batch *into, const struct obs_batch *all)
{
	for (uint64_t i = 0; i < all->n_bad; i++) {
		if (i >= OBS_BAD_KEPT) {
			into->n_bad += all->n_bad - i;
			break;
		}
		obs_batch_refuse(into, all->bad[i].record, all->bad[i].why);
	}
	into->n_skipped += all->n_skipped;
}

static int copy_out(struct obs_batch *into, const struct obs *from)
{
	struct bytes raw;
	struct obs *o;

	if (!obs_batch_keep(into, &raw, from->raw.p, from->raw.len))
		return ERR_NOMEM;
	o = obs_batch_add(into);
	if (o == NULL)
		return ERR_NOMEM;
	*o = *from;
	o->raw = raw;
	return 0;
}

static int neighbour_read(struct adapter *base, struct obs_batch *into, int64_t until_ms,
			  struct err *e)
{
	struct neighbour *a = (struct neighbour *)base;

	if (!a->loaded) {
		int r = load(a, until_ms, e);

		if (r < 0)
			return r;
		a->loaded = true;
		report_bad(into, &a->all);
	}
	for (size_t n = 0; a->at < a->all.n; n++) {
		if (n == BATCH_MAX)
			return ADAPTER_MORE;
		if (copy_out(into, &a->all.v[a->at++]) < 0) {
			a->loaded = false;
			return err_nomem(e);
		}
	}
	a->loaded = false; /* the next read is a new look */
	/* Whoever pipes a table in by hand may show a part of it. */
	if (a->path != NULL && strcmp(a->path, "-") == 0)
		return ADAPTER_DELTA;
	return ADAPTER_COMPLETE;
}

/* ---- settings ---------------------------------------------------------------------------- */

static int copy_list(struct neighbour *a, const char ***out, size_t *n, const struct setting *s,
		     struct err *e)
{
	if (s == NULL || s->n == 0)
		return 0;
	*out = arena_array(&a->arena, s->n, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->n; i++) {
		(*out)[i] = arena_strdup(&a->arena, s->list[i]);
		if ((*out)[i] == NULL)
			return err_nomem(e);
	}
	*n = s->n;
	return 0;
}

static int check(struct neighbour *a, bool format_given, struct err *e)
{
	bool text = a->path != NULL || a->argv != NULL;

	if (a->path != NULL && a->argv != NULL)
		return err_set(e, ERR_CONF, "\"file\" and \"command\" exclude each other");
	if (!format_given && !text)
		a->format = NEIGHBOUR_KERNEL;
	if (a->format == NEIGHBOUR_KERNEL && text)
		return err_set(e, ERR_CONF, "format kernel reads neither a file nor a command");
	if (a->format == NEIGHBOUR_PROC && !text)
		a->path = "/proc/net/arp";
	else if (a->format != NEIGHBOUR_KERNEL && !text)
		return err_set(e, ERR_CONF, "this format needs \"file\" or \"command\"");
	return 0;
}

static int configure(struct neighbour *a, const struct settings *set, struct err *e)
{
	const char *format = settings_str(set, "format", NULL);
	const char *path = settings_str(set, "file", NULL);
	int r;

	if (format != NULL && !neighbour_format_parse(&a->format, format)) {
		err_set(e, ERR_CONF, "format \"%s\" is not known", format);
		err_hint(e, "formats are kernel, proc, iproute, bsd and auto");
		return ERR_CONF;
	}
	if (path != NULL && (a->path = arena_strdup(&a->arena, path)) == NULL)
		return err_nomem(e);
	r = copy_list(a, &a->argv, &a->n_argv, settings_find(set, "command"), e);
	if (r == 0)
		r = copy_list(a, &a->interfaces, &a->n_interfaces, settings_find(set, "interface"),
			      e);
	return r == 0 ? check(a, format != NULL, e) : r;
}

static void neighbour_close(struct adapter *base)
{
	struct neighbour *a = (struct neighbour *)base;

	if (a == NULL)
		return;
	obs_batch_fini(&a->all);
	arena_fini(&a->arena);
	free(a);
}

static int neighbour_open(struct adapter **out, const struct settings *set, const char *cursor,
			  struct err *e)
{
	struct neighbour *a = calloc(1, sizeof(*a));
	int r;

	(void)cursor; /* a table is always read whole */
	if (a == NULL)
		return err_nomem(e);
	a->base.ops = &neighbour_ops;
	a->format = NEIGHBOUR_AUTO;
	obs_batch_init(&a->all);
	r = configure(a, set, e);
	if (r < 0) {
		neighbour_close(&a->base);
		return r;
	}
	*out = &a->base;
	return 0;
}

static const char *neighbour_cursor(struct adapter *a)
{
	(void)a;
	return NULL;
}

static const struct setting_key neighbour_keys[] = {
    {"format", SETTING_STR, false,
     "kernel (the default without file and command), proc, iproute, bsd, or auto"},
    {"file", SETTING_STR, false, "a printed table; - is standard input"},
    {"command", SETTING_LIST, false, "program and arguments that print the table; no shell"},
    {"interface", SETTING_LIST, false, "only entries of these interfaces"},
    {NULL, SETTING_STR, false, NULL},
};

const struct adapter_ops neighbour_ops = {
    .type = "neighbour",
    .kind = OBS_NEIGHBOUR,
    .keys = neighbour_keys,
    .open = neighbour_open,
    .read = neighbour_read,
    .cursor = neighbour_cursor,
    .close = neighbour_close,
};
