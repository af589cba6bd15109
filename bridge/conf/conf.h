/* conf.h - the configuration file as typed settings, or the first error with file and line.
 *
 * libconfuse parses; this room checks what it does not: unknown names, equal titles, scalars
 * given twice, references, overlaps.  Secrets never stand in the file: key files are read when
 * a server is used.
 */
#ifndef BRIDGE_CONF_CONF_H
#define BRIDGE_CONF_CONF_H

#include "bridge/base/arena.h"
#include "bridge/base/err.h"
#include "bridge/base/log.h"
#include "bridge/core/policy.h"
#include "bridge/value/setting.h"

struct conf_server {
	const char *name;
	struct ipaddr address;
	uint16_t port;                   /* 53 */
	const char *key_file;            /* NULL: unsigned updates */
	struct ipaddr transfer_address;  /* as address unless given */
	uint16_t transfer_port;
	const char *transfer_key_file;   /* as key_file unless given */
	struct ipaddr source_address;    /* family 0: any */
	int64_t timeout_s;               /* of an exchange; 5 */
	unsigned window;                 /* messages in flight; 64 */
	bool allow_unsigned_transfer;    /* only for a server that signs nothing; shown as warning */
	int line;
};

struct conf_source {
	const char *space;
	const char *name;
	const char *type;
	struct settings set;             /* for the adapter */
	int64_t timeout_s;               /* 30 */
	int64_t every_s;
	int64_t stale_after_s;           /* 1h for neighbours */
};

struct conf_endpoint {
	struct ipaddr address;           /* family 0: none */
	uint16_t port;
};

struct conf {
	struct arena arena;
	const char *file;
	const char *database;            /* libpq string */
	const char *state_dir;
	struct policy policy;            /* ids are 0 */
	struct conf_server *servers;
	size_t n_servers;
	struct conf_source *sources;     /* same order as in policy, space by space */
	size_t n_sources;
	int64_t reconcile_s, pull_s, full_s;   /* schedule; 5m, 15m, 24h */
	int64_t run_timeout_s;           /* of a whole reconcile; 10m */
	int64_t statement_timeout_s;     /* 30s */
	int64_t journal_keep_s;          /* 90d */
	enum log_format log_format;      /* LOG_TEXT */
	struct conf_endpoint notify_listen;  /* where NOTIFY is listened for; none by default */
	struct conf_endpoint http;       /* where metrics and health are served; none by default */
};

/* The file is read whole, includes too; nothing is connected or opened beside it.  Once it is
 * good, log lines have the form it asks for.
 * ERR_CONF: text starts with "FILE:LINE: ". */
int conf_load(struct conf **out, const char *path, struct err *e);
void conf_free(struct conf *c);
void conf_freep(struct conf **c);
const struct conf_server *conf_server_find(const struct conf *c, const char *name);
const struct conf_source *conf_source_find(const struct conf *c, const char *space,
					   const char *name);

#endif
