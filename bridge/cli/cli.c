/* cli.c - options, help and the way from a verb's result to the exit code. */

#include "bridge/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bridge/base/log.h"
#include "bridge/cli/output.h"

enum { OPT_JSON = 256, OPT_SPACE, OPT_VIEW, OPT_VERB };

static const struct option global_opts[] = {
    {"config", required_argument, NULL, 'c'}, {"verbose", no_argument, NULL, 'v'},
    {"json", no_argument, NULL, OPT_JSON},    {"space", required_argument, NULL, OPT_SPACE},
    {"view", required_argument, NULL, OPT_VIEW}, {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
};

enum { N_GLOBAL = sizeof(global_opts) / sizeof(global_opts[0]) };

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name != NULL; v++) {
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

const char *cli_val(const struct cli *c, const char *option)
{
	for (size_t i = 0; c->verb->opts != NULL && c->verb->opts[i].name != NULL; i++) {
		if (strcmp(c->verb->opts[i].name, option) == 0)
			return c->val[i];
	}
	return NULL;
}

/* Edits from a to b: insert, delete, replace, swap of neighbours; names are short. */
static unsigned distance(const char *a, const char *b)
{
	enum { MAX = 24 };
	unsigned d[MAX + 1][MAX + 1];
	size_t n = strnlen(a, MAX), m = strnlen(b, MAX);
	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

const char *cli_nearest(const char *s, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	unsigned best_d = CLI_NEAR_MAX + 1;
	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(s, candidates[i]);
		if (strlen(s) >= 3 && strncmp(s, candidates[i], strlen(s)) == 0)
			d = 0;  /* an honest beginning: "recon" */
		if (d < best_d) {
			best_d = d;
			best = candidates[i];
		}
	}
	/* Half of the word rewritten is no slip of the finger. */
	return best_d * 2 <= strlen(s) ? best : NULL;
}

static int unknown_verb(const char *name, struct err *e)
{
	const char *names[64];
	size_t n = 0;
	for (const struct verb *v = verbs; v->name != NULL && n < 64; v++)
		names[n++] = v->name;
	const char *near = cli_nearest(name, names, n);
	err_set(e, ERR_CONF, "unknown verb \"%s\"", name);
	if (near != NULL)
		err_hint(e, "did you mean \"%s\"?", near);
	else
		err_hint(e, "\"ipambridge --help\" lists the verbs");
	return ERR_CONF;
}

/* getopt's own messages carry no hint. */
static int bad_option(int got, const struct cli *c, char **argv, struct err *e)
{
	const char *verb = c->verb != NULL ? c->verb->name : "";
	const char *given = argv[optind - 1];
	if (got == ':')
		err_set(e, ERR_CONF, "option \"%s\" needs a value", given);
	else if (optopt > 0 && optopt < 128)
		err_set(e, ERR_CONF, "unknown option \"-%c\"", optopt);
	else if (optopt != 0)
		err_set(e, ERR_CONF, "option \"%s\" takes no value", given);
	else
		err_set(e, ERR_CONF, "unknown or ambiguous option \"%s\"", given);
	err_hint(e, "\"ipambridge %s%s--help\" lists the options", verb, *verb ? " " : "");
	return ERR_CONF;
}

static void take_option(struct cli *c, int got, int verb_index)
{
	switch (got) {
	case 'c':
		c->config = optarg;
		break;
	case 'v':
		c->verbose++;
		break;
	case 'V':
		c->version = true;
		break;
	case 'h':
		c->help = true;
		break;
	case OPT_JSON:
		c->json = true;
		break;
	case OPT_SPACE:
		c->space = optarg;
		break;
	case OPT_VIEW:
		c->view = optarg;
		break;
	default:
		c->val[verb_index] = optarg != NULL ? optarg : "";
		break;
	}
}

/* The global options, and after the verb its own beside them. */
static int take_options(struct cli *c, int argc, char **argv, const char *letters, struct err *e)
{
	struct option opts[N_GLOBAL + CLI_OPTS_MAX + 1] = {0};
	memcpy(opts, global_opts, sizeof(global_opts));
	const struct cli_opt *own = c->verb != NULL ? c->verb->opts : NULL;
	for (int i = 0; own != NULL && own[i].name != NULL; i++) {
		opts[N_GLOBAL + i] = (struct option){
		    own[i].name, own[i].arg != NULL ? required_argument : no_argument, NULL,
		    OPT_VERB + i};
	}
	opterr = 0;
	optind = 0;  /* glibc: start anew */
	for (;;) {
		int got = getopt_long(argc, argv, letters, opts, NULL);
		if (got == -1)
			return 0;
		if (got == '?' || got == ':')
			return bad_option(got, c, argv, e);
		take_option(c, got, got - OPT_VERB);
	}
}

static int check_count(const struct cli *c, struct err *e)
{
	const struct verb *v = c->verb;
	if (c->n_args >= v->min_args && (v->max_args < 0 || c->n_args <= v->max_args))
		return 0;
	if (c->n_args < v->min_args)
		err_set(e, ERR_CONF, "\"%s\" needs more arguments", v->name);
	else
		err_set(e, ERR_CONF, "\"%s\" does not know what to do with \"%s\"", v->name,
			c->arg[v->max_args]);
	err_hint(e, "usage: ipambridge %s %s", v->name, v->usage);
	return ERR_CONF;
}

int cli_parse(struct cli *c, int argc, char **argv, struct err *e)
{
	*c = (struct cli){0};
	int r = take_options(c, argc, argv, "+:c:vVh", e);
	if (r < 0)
		return r;
	int at = optind;
	if (at >= argc) {
		if (c->help || c->version)
			return 0;
		err_set(e, ERR_CONF, "no verb given");
		err_hint(e, "\"ipambridge --help\" lists the verbs");
		return ERR_CONF;
	}
	c->verb = verb_find(argv[at]);
	if (c->verb == NULL)
		return unknown_verb(argv[at], e);
	/* The verb stands where a program's name would. */
	r = take_options(c, argc - at, argv + at, ":c:vVh", e);
	if (r < 0)
		return r;
	c->arg = argv + at + optind;
	c->n_args = argc - at - optind;
	if (c->config == NULL)
		c->config = getenv("IPAMBRIDGE_CONFIG");
	if (c->config == NULL || *c->config == '\0')
		c->config = CLI_CONFIG_DEFAULT;
	return c->help || c->version ? 0 : check_count(c, e);
}

/* ---- exit codes ------------------------------------------------------------------------- */

int cli_exit_of_err(int code)
{
	return code == 0 ? EXIT_DONE : code == ERR_CONF ? EXIT_USAGE : EXIT_FAILED;
}

int cli_exit_of_counts(const struct flow_counts *n)
{
	if (n->held > 0 || n->closed)
		return EXIT_HELD;
	return n->refused > 0 || n->pending > 0 ? EXIT_PARTLY : EXIT_DONE;
}

/* Sentences carry words from outside: names, server texts, command lines. */
void cli_message(const char *before, const char *s)
{
	struct buf b = BUF_INIT;
	for (; *s != '\0'; s += strcspn(s, "\n") + (strchr(s, '\n') != NULL)) {
		if (b.len > 0)
			buf_chr(&b, ' ');
		out_escaped(&b, s, strcspn(s, "\n"));
	}
	fprintf(stderr, "%s: %s\n", before, buf_text(&b));
	buf_fini(&b);
}

int cli_fail(const struct err *e)
{
	if (log_get_format() != LOG_TEXT) {
		log_event(MSG_RUN_FAILED, "ipambridge", "%s%s%s", e->text,
			  e->hint[0] != '\0' ? "; hint: " : "", e->hint);
		return cli_exit_of_err(e->code);
	}
	cli_message("ipambridge", e->text);
	if (e->hint[0] != '\0')
		cli_message("hint", e->hint);
	return cli_exit_of_err(e->code);
}

/* ---- help ------------------------------------------------------------------------------- */

static int print_help(void)
{
	printf("usage: ipambridge [-c FILE] [-v] [--json] VERB ...\n\n"
	       "Keeps DHCP, IPAM and DNS telling the same story, and can say why.\n\nverbs:\n");
	for (const struct verb *v = verbs; v->name != NULL; v++)
		printf("  %-13s %s\n", v->name, v->help);
	printf("\noptions, before or after the verb:\n"
	       "  -c, --config FILE   configuration (IPAMBRIDGE_CONFIG, else %s)\n"
	       "  -v, --verbose       say what is done; twice: in detail\n"
	       "  --json              results as JSON on standard output\n"
	       "  --space NAME        only this address space (add-host: \"default\")\n"
	       "  --view NAME         only zones of this view\n"
	       "  -V, --version       print the version\n"
	       "  -h, --help          this text; after a verb: its own\n\n"
	       "exit codes: 0 done or nothing to do, 1 could not run, 2 usage or configuration,\n"
	       "  3 plan --exit-code found changes, 4 something refused, pending or unreachable,\n"
	       "  5 held by the brake, 6 another run holds the lock\n\n"
	       "example:\n"
	       "  ipambridge plan && ipambridge reconcile\n",
	       CLI_CONFIG_DEFAULT);
	return EXIT_DONE;
}

static int print_verb_help(const struct verb *v)
{
	printf("usage: ipambridge [-c FILE] [-v] [--json] %s%s%s\n\n%s\n", v->name,
	       *v->usage != '\0' ? " " : "", v->usage, v->text);
	return EXIT_DONE;
}

/* ---- the whole -------------------------------------------------------------------------- */

/* A closed descriptor 0, 1 or 2 would become a database session that messages go into. */
static void open_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0)
			_exit(EXIT_FAILED);
	}
}

static void prepare_process(void)
{
	open_standard_files();
	setlocale(LC_CTYPE, "");
	/* Keys are in memory: no core file.  A reader that leaves is a write error, not a death in
	 * the middle of a pass. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	signal(SIGPIPE, SIG_IGN);
}

int cli_main(int argc, char **argv)
{
	struct cli c;
	struct err e = {0};
	prepare_process();
	if (cli_parse(&c, argc, argv, &e) < 0)
		return cli_fail(&e);
	if (c.version)
		return printf("ipambridge %s\n", VERSION) < 0;
	if (c.help)
		return c.verb != NULL ? print_verb_help(c.verb) : print_help();
	log_init(c.verbose >= 2 ? LOG_LEVEL_DEBUG : c.verbose == 1 ? LOG_LEVEL_INFO
								    : LOG_LEVEL_WARN);
	return c.verb->run(&c);
}
