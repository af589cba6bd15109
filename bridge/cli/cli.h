/* cli.h - the command line: options to a struct cli, and what every verb shares.
 *
 * A verb = one row in verbs.c and one file.  It gets a parsed command line, returns an exit
 * code, prints results on stdout and everything else on stderr.
 */
#ifndef BRIDGE_CLI_CLI_H
#define BRIDGE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/base/err.h"
#include "bridge/conf/conf.h"
#include "bridge/flow/flow.h"
#include "bridge/role/once.h"

/* Frozen. */
enum cli_exit {
	EXIT_DONE = 0,     /* done, or nothing to do; standing conflicts included */
	EXIT_FAILED = 1,   /* could not run */
	EXIT_USAGE = 2,    /* usage or configuration */
	EXIT_CHANGES = 3,  /* plan --exit-code: there are changes */
	EXIT_PARTLY = 4,   /* newly refused, pending or unreachable */
	EXIT_HELD = 5,     /* the brake holds rows; beats 4 */
	EXIT_LOCKED = 6,   /* another run holds the lock */
};

#define CLI_CONFIG_DEFAULT "/etc/ipambridge/ipambridge.conf"

struct cli;

struct cli_opt {
	const char *name;  /* long, without dashes; NULL ends a table */
	const char *arg;   /* what its value is called; NULL: a flag */
};

struct verb {
	const char *name;
	const char *help;            /* one line */
	const char *usage;           /* what follows the name */
	const char *text;            /* the rest of --help, with examples */
	const struct cli_opt *opts;  /* NULL: none of its own */
	int min_args, max_args;      /* max_args -1: any number */
	int (*run)(struct cli *c);
};

enum { CLI_OPTS_MAX = 8, CLI_NEAR_MAX = 3 };

struct cli {
	const char *config;
	const char *space;           /* NULL: not given */
	const char *view;            /* NULL: not given */
	bool json;
	unsigned verbose;
	bool help, version;
	const struct verb *verb;     /* NULL only with help or version */
	const char *val[CLI_OPTS_MAX];  /* by place in verb->opts; "": a flag; NULL: not given */
	char **arg;
	int n_args;
};

extern const struct verb verbs[];  /* a row without a name ends it */
const struct verb *verb_find(const char *name);

/* Everything: what main calls. */
int cli_main(int argc, char **argv);
/* Options alone.  0, or ERR_CONF.  Reorders argv. */
int cli_parse(struct cli *c, int argc, char **argv, struct err *e);
/* A value of the verb's options; NULL: not given. */
const char *cli_val(const struct cli *c, const char *option);
/* The candidate that s was most likely meant to be, or NULL. */
const char *cli_nearest(const char *s, const char *const *candidates, size_t n);

/* Prints the error with its hint; returns the exit code it stands for. */
int cli_fail(const struct err *e);
/* "BEFORE: sentence" on stderr, escaped, as one line. */
void cli_message(const char *before, const char *sentence);
int cli_exit_of_err(int code);
int cli_exit_of_counts(const struct flow_counts *n);

/* What most verbs open: the configuration and the sessions. */
struct session {
	struct conf *conf;
	struct once *once;
};
/* look: the command changes nothing; whatever it writes is rolled back. */
int session_open(struct session *s, const struct cli *c, const char *role, bool look,
		 struct err *e);
void session_fini(struct session *s);
/* The space that --space names, else "default".  ERR_CONF with those there are. */
int session_space(const struct policy_space **out, const struct session *s, const struct cli *c,
		  struct err *e);

/* The verbs. */
int verb_reconcile(struct cli *c);
int verb_plan(struct cli *c);
int verb_pull(struct cli *c);
int verb_add_host(struct cli *c);
int verb_del_host(struct cli *c);
int verb_list(struct cli *c);
int verb_why(struct cli *c);
int verb_import(struct cli *c);
int verb_resolve(struct cli *c);
int verb_adopt(struct cli *c);
int verb_disown(struct cli *c);
int verb_status(struct cli *c);
int verb_journal(struct cli *c);
int verb_serve(struct cli *c);
int verb_kea_hook(struct cli *c);
int verb_check_config(struct cli *c);
int verb_db(struct cli *c);

#endif
