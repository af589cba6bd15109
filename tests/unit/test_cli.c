/* test_cli.c - options, nearest names and exit codes of bridge/cli/cli.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/cli/cli.h"

enum { ARGS_MAX = 16 };

/* cli_parse on words; the words are copied, because getopt reorders them. */
static int parse(struct cli *c, struct err *e, const char *const *words)
{
	static char *argv[ARGS_MAX + 1];
	int argc = 0;
	*e = (struct err){0};
	argv[argc++] = (char *)(uintptr_t)"ipambridge";
	for (; words[argc - 1] != NULL && argc < ARGS_MAX; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	argv[argc] = NULL;
	return cli_parse(c, argc, argv, e);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void global_options_stand_before_or_after_the_verb(void **state)
{
	struct cli c;
	struct err e;
	(void)state;
	assert_int_equal(parse(&c, &e, WORDS("-c", "a.conf", "--json", "plan")), 0);
	assert_string_equal(c.config, "a.conf");
	assert_true(c.json);
	assert_int_equal(parse(&c, &e, WORDS("plan", "--json", "-v", "-v", "--config=b.conf")), 0);
	assert_string_equal(c.config, "b.conf");
	assert_true(c.json);
	assert_int_equal(c.verbose, 2);
	assert_string_equal(c.verb->name, "plan");
	assert_int_equal(parse(&c, &e, WORDS("--space", "x", "list", "hosts", "--view", "y")), 0);
	assert_string_equal(c.space, "x");
	assert_string_equal(c.view, "y");
}

static void configuration_comes_from_option_then_environment_then_default(void **state)
{
	struct cli c;
	struct err e;
	(void)state;
	unsetenv("IPAMBRIDGE_CONFIG");
	assert_int_equal(parse(&c, &e, WORDS("plan")), 0);
	assert_string_equal(c.config, "/etc/ipambridge/ipambridge.conf");
	setenv("IPAMBRIDGE_CONFIG", "env.conf", 1);
	assert_int_equal(parse(&c, &e, WORDS("plan")), 0);
	assert_string_equal(c.config, "env.conf");
	assert_int_equal(parse(&c, &e, WORDS("-copt.conf", "plan")), 0);
	assert_string_equal(c.config, "opt.conf");
	setenv("IPAMBRIDGE_CONFIG", "", 1);
	assert_int_equal(parse(&c, &e, WORDS("plan")), 0);
	assert_string_equal(c.config, CLI_CONFIG_DEFAULT);
	unsetenv("IPAMBRIDGE_CONFIG");
}

static void options_of_a_verb_mix_with_its_arguments(void **state)
{
	struct cli c;
	struct err e;
	(void)state;
	assert_int_equal(parse(&c, &e, WORDS("add-host", "nas", "--ttl", "5m", "192.0.2.7",
					     "--replace", "2001:db8::7")), 0);
	assert_int_equal(c.n_args, 3);
	assert_string_equal(c.arg[0], "nas");
	assert_string_equal(c.arg[1], "192.0.2.7");
	assert_string_equal(c.arg[2], "2001:db8::7");
	assert_string_equal(cli_val(&c, "ttl"), "5m");
	assert_string_equal(cli_val(&c, "replace"), "");
	assert_null(cli_val(&c, "mac"));
}

static void words_after_two_dashes_are_no_options(void **state)
{
	struct cli c;
	struct err e;
	(void)state;
	assert_int_equal(parse(&c, &e, WORDS("why", "--", "--json")), 0);
	assert_false(c.json);
	assert_string_equal(c.arg[0], "--json");
}

static void a_dash_alone_is_an_argument(void **state)
{
	struct cli c;
	struct err e;
	(void)state;
	assert_int_equal(parse(&c, &e, WORDS("import", "--type", "kea-leases", "-")), 0);
	assert_int_equal(c.n_args, 1);
	assert_string_equal(c.arg[0], "-");
}

static void a_misspelt_verb_names_the_nearest_one(void **state)
{
	static const struct {
		const char *typed, *hint;
	} row[] = {
	    {"reconcil", "did you mean \"reconcile\"?"},
	    {"recon", "did you mean \"reconcile\"?"},
	    {"paln", "did you mean \"plan\"?"},
	    {"add_host", "did you mean \"add-host\"?"},
	    {"lsit", "did you mean \"list\"?"},
	    {"check-conf", "did you mean \"check-config\"?"},
	    {"frobnicate", "\"ipambridge --help\" lists the verbs"},
	    {"x", "\"ipambridge --help\" lists the verbs"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct cli c;
		struct err e;
		assert_int_equal(parse(&c, &e, WORDS(row[i].typed)), ERR_CONF);
		assert_string_equal(e.hint, row[i].hint);
		assert_int_equal(cli_exit_of_err(e.code), EXIT_USAGE);
	}
}

static void wrong_options_and_counts_are_usage_errors(void **state)
{
	static const struct {
		const char *words[4];
		const char *text;
	} row[] = {
	    {{NULL}, "no verb given"},
	    {{"--bogus", "plan"}, "unknown or ambiguous option \"--bogus\""},
	    {{"plan", "--bogus"}, "unknown or ambiguous option \"--bogus\""},
	    {{"plan", "-x"}, "unknown option \"-x\""},
	    {{"plan", "--exit-code=3"}, "option \"--exit-code=3\" takes no value"},
	    {{"-c"}, "option \"-c\" needs a value"},
	    {{"reconcile", "--force"}, "option \"--force\" needs a value"},
	    {{"plan", "now"}, "\"plan\" does not know what to do with \"now\""},
	    {{"add-host", "nas"}, "\"add-host\" needs more arguments"},
	    {{"pull", "--force", "z"}, "unknown or ambiguous option \"--force\""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct cli c;
		struct err e;
		assert_int_equal(parse(&c, &e, row[i].words), ERR_CONF);
		assert_string_equal(e.text, row[i].text);
		assert_true(e.hint[0] != '\0');
	}
}

static void help_and_version_need_no_verb_and_no_arguments(void **state)
{
	struct cli c;
	struct err e;
	(void)state;
	assert_int_equal(parse(&c, &e, WORDS("--help")), 0);
	assert_true(c.help);
	assert_null(c.verb);
	assert_int_equal(parse(&c, &e, WORDS("-V")), 0);
	assert_true(c.version);
	assert_int_equal(parse(&c, &e, WORDS("add-host", "--help")), 0);
	assert_true(c.help);
	assert_string_equal(c.verb->name, "add-host");
}

static void every_verb_has_help_with_an_example(void **state)
{
	(void)state;
	for (const struct verb *v = verbs; v->name != NULL; v++) {
		assert_non_null(v->run);
		assert_non_null(v->usage);
		assert_true(strlen(v->help) > 0 && strlen(v->help) < 64);
		assert_non_null(strstr(v->text, "example"));
		assert_non_null(strstr(strstr(v->text, "example"), v->name));
		size_t n = 0;
		for (; v->opts != NULL && v->opts[n].name != NULL; n++)
			assert_non_null(strstr(v->usage, v->opts[n].name));
		assert_true(n <= CLI_OPTS_MAX);
	}
}

static void held_rows_beat_everything_else_in_the_exit_code(void **state)
{
	static const struct {
		struct flow_counts n;
		int code;
	} row[] = {
	    {{0}, 0},
	    {{.changed = 9, .pulled = 3, .conflicts = 4}, 0},
	    {{.refused = 1}, 4},
	    {{.pending = 1}, 4},
	    {{.held = 1}, 5},
	    {{.held = 1, .refused = 1, .pending = 7}, 5},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(cli_exit_of_counts(&row[i].n), row[i].code);
}

static void only_configuration_errors_exit_with_two(void **state)
{
	(void)state;
	for (int code = ERR_BUG; code <= ERR_NOMEM; code++)
		assert_int_equal(cli_exit_of_err(code), code == ERR_CONF ? 2 : 1);
	assert_int_equal(cli_exit_of_err(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(global_options_stand_before_or_after_the_verb),
	    cmocka_unit_test(configuration_comes_from_option_then_environment_then_default),
	    cmocka_unit_test(options_of_a_verb_mix_with_its_arguments),
	    cmocka_unit_test(words_after_two_dashes_are_no_options),
	    cmocka_unit_test(a_dash_alone_is_an_argument),
	    cmocka_unit_test(a_misspelt_verb_names_the_nearest_one),
	    cmocka_unit_test(wrong_options_and_counts_are_usage_errors),
	    cmocka_unit_test(help_and_version_need_no_verb_and_no_arguments),
	    cmocka_unit_test(every_verb_has_help_with_an_example),
	    cmocka_unit_test(held_rows_beat_everything_else_in_the_exit_code),
	    cmocka_unit_test(only_configuration_errors_exit_with_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
