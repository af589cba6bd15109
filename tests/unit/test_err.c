/* test_err.c - base/err, base/log and base/clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/base/err.h"
#include "bridge/base/log.h"

static void sentence_grows_from_the_inside_out(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, ERR_PROTO, "line %d is cut", 7), ERR_PROTO);
	err_hint(&e, "look at \"%s\"", "file");
	assert_int_equal(err_in(&e, ERR_PROTO, "source \"%s\"", "dhcp"), ERR_PROTO);
	assert_int_equal(e.code, ERR_PROTO);
	assert_string_equal(e.text, "source \"dhcp\": line 7 is cut");
	assert_string_equal(e.hint, "look at \"file\"");
	assert_int_equal(err_in(&e, ERR_BUSY, "outer"), ERR_BUSY);
	assert_int_equal(e.code, ERR_BUSY);
}

static void new_error_forgets_the_old_hint(void **state)
{
	struct err e = {0};

	(void)state;
	err_hint(&e, "old");
	err_set(&e, ERR_CONF, "new");
	assert_string_equal(e.hint, "");
	err_hint(&e, "old");
	err_nomem(&e);
	assert_int_equal(e.code, ERR_NOMEM);
	assert_string_equal(e.text, "out of memory");
	assert_string_equal(e.hint, "");
}

static void words_for_errno_follow(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_sys(&e, ENOENT, "file \"%s\"", "x"), ERR_SYS);
	assert_string_equal(e.text, "file \"x\": No such file or directory");
	assert_int_equal(err_sys(&e, 99999, "odd"), ERR_SYS);
	assert_non_null(strstr(e.text, "99999"));
}

static void code_without_words_is_enough(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_BUG, "%s", "x"), ERR_BUG);
	assert_int_equal(err_in(NULL, ERR_BUSY, "x"), ERR_BUSY);
	assert_int_equal(err_sys(NULL, EIO, "x"), ERR_SYS);
	assert_int_equal(err_nomem(NULL), ERR_NOMEM);
	err_hint(NULL, "x");
}

static void old_sentence_may_be_part_of_the_new(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_SYS, "inner");
	err_set(&e, ERR_CONF, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
	err_hint(&e, "%s!", e.text);
	err_hint(&e, "again %s", e.hint);
	assert_string_equal(e.hint, "again outer (inner)!");
}

static void overlong_sentences_are_cut_visibly(void **state)
{
	char big[2000];
	struct err e;
	int i;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, ERR_PROTO, "%s", big);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_string_equal(e.text + sizeof(e.text) - 4, "...");
	err_sys(&e, ENOENT, "%s", big);
	assert_string_equal(e.text + sizeof(e.text) - 4, "...");
	err_set(&e, ERR_PROTO, "inner");
	for (i = 0; i < 200; i++)
		err_in(&e, ERR_PROTO, "layer %d", i);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_string_equal(e.text + sizeof(e.text) - 4, "...");
	err_hint(&e, "%s", big);
	assert_string_equal(e.hint + sizeof(e.hint) - 4, "...");
}

/* ---- log -------------------------------------------------------------------------------- */

/* What one call of fn writes to stderr. */
static const char *caught(void (*fn)(void))
{
	static char text[4096];
	int saved = dup(STDERR_FILENO), p[2];
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	dup2(p[1], STDERR_FILENO);
	close(p[1]);
	fn();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(p[0], text, sizeof(text) - 1);
	close(p[0]);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void say_all(void)
{
	errno = EDOM;
	log_err("zone lab.example", "push, server answered %s", "NOTAUTH");
	log_warn("source dhcp", "w");
	log_info("x", "i");
	log_debug("x", "d");
	assert_int_equal(errno, EDOM);
}

static void say_hostile(void)
{
	log_err("zone \x1b]0;evil\a", "name \"%s\"",
		"a\nipambridge: error: forged\r\x9b" "2J\\032\x7f");
}

static void log_writes_one_line_a_call(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init(LOG_LEVEL_DEBUG);
	assert_string_equal(caught(say_all),
			    "ipambridge: error: zone lab.example: push, server answered NOTAUTH\n"
			    "ipambridge: warning: source dhcp: w\n"
			    "ipambridge: x: i\n"
			    "ipambridge: x: d\n");
	log_init(LOG_LEVEL_WARN);
	assert_string_equal(caught(say_all),
			    "ipambridge: error: zone lab.example: push, server answered NOTAUTH\n"
			    "ipambridge: warning: source dhcp: w\n");
}

static void journal_gets_priorities(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "8:1234", 1);
	log_init(LOG_LEVEL_DEBUG);
	assert_string_equal(caught(say_all),
			    "<3>zone lab.example: push, server answered NOTAUTH\n"
			    "<4>source dhcp: w\n<6>x: i\n<7>x: d\n");
	unsetenv("JOURNAL_STREAM");
	log_init(LOG_LEVEL_WARN);
}

static void log_lets_no_control_byte_through(void **state)
{
	(void)state;
	assert_string_equal(caught(say_hostile),
			    "ipambridge: error: zone \\x1b]0;evil\\x07: name "
			    "\"a\\x0aipambridge: error: forged\\x0d\\x9b2J\\032\\x7f\"\n");
}

/* "TIME" where the time stands. */
static const char *untimed(const char *line)
{
	static char out[4096];
	const char *t = strstr(line, "time");

	snprintf(out, sizeof(out), "%s", line);
	assert_non_null(t);
	t += strcspn(t, "0123456789");
	assert_int_equal(strspn(t, "0123456789-:TZ"), 20);
	snprintf(out, sizeof(out), "%.*sTIME%s", (int)(t - line), line, t + 20);
	return out;
}

static void say_event(void)
{
	log_event(MSG_PULL_FAILED, "lab.example", "pull, failed (\"%s\" \\ %s)", "a\nb", "\x1b");
}

static void say_note(void)
{
	log_warn("zone a=\"b\"", "w");
}

static void programs_get_fields_and_ids(void **state)
{
	(void)state;
	assert_string_equal(caught(say_event),
			    "ipambridge: warning: lab.example: pull, failed (\"a\\x0ab\" \\ \\x1b)\n");
	log_set_format(LOG_LOGFMT);
	assert_string_equal(untimed(caught(say_event)),
			    "time=TIME level=warning id=PULL_FAILED subject=lab.example "
			    "msg=\"pull, failed (\\\"a\\\\x0ab\\\" \\\\ \\\\x1b)\"\n");
	assert_string_equal(untimed(caught(say_note)),
			    "time=TIME level=warning id=NOTE subject=\"zone a=\\\"b\\\"\" msg=\"w\"\n");
	log_set_format(LOG_JSON);
	assert_string_equal(untimed(caught(say_event)),
			    "{\"time\": \"TIME\", \"level\": \"warning\", \"id\": \"PULL_FAILED\", "
			    "\"subject\": \"lab.example\", "
			    "\"msg\": \"pull, failed (\\\"a\\\\x0ab\\\" \\\\ \\\\x1b)\"}\n");
	setenv("JOURNAL_STREAM", "8:1234", 1);
	assert_memory_equal(caught(say_event), "<4>{\"time\"", 10);
	unsetenv("JOURNAL_STREAM");
	log_set_format(LOG_TEXT);
}

static void levels_come_from_the_table(void **state)
{
	(void)state;
	log_init(LOG_LEVEL_ERR);
	assert_string_equal(caught(say_event), "");
	log_init(LOG_LEVEL_WARN);
	assert_int_equal(message_row(MSG_POLICY_DIFFERS)->level, LOG_LEVEL_ERR);
	assert_string_equal(message_row(MSG_NOTE)->id, "NOTE");
}

static void the_manual_page_names_every_message(void **state)
{
	static char page[65536], item[160];
	FILE *f = fopen("contrib/man/ipambridge-messages.7", "r");
	const char *p;
	int i, n = 0;

	(void)state;
	assert_non_null(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	for (i = 0; i < MSG_COUNT; i++) {
		const struct message_row *row = message_row((enum message)i);

		snprintf(item, sizeof(item), "\n.It Sy %s Pq %s\n%c%s.\n", row->id,
			 log_level_name(row->level), row->meaning[0] - 'a' + 'A',
			 row->meaning + 1);
		if (strstr(page, item) == NULL)
			fail_msg("ipambridge-messages.7 has no \"%s\"", item + 1);
	}
	for (p = page; (p = strstr(p, "\n.It Sy ")) != NULL; p++)
		n++;
	assert_int_equal(n, MSG_COUNT);
}

/* ---- clock ------------------------------------------------------------------------------ */

static void clocks_go_forward(void **state)
{
	int64_t t = clock_mono_ms();

	(void)state;
	assert_true(clock_wall_s() > 1600000000);
	clock_sleep_until_ms(t - 1000);
	clock_sleep_until_ms(-5);
	clock_sleep_until_ms(t + 20);
	assert_true(clock_mono_ms() >= t + 20);
	assert_true(clock_random() != clock_random());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sentence_grows_from_the_inside_out),
	    cmocka_unit_test(new_error_forgets_the_old_hint),
	    cmocka_unit_test(words_for_errno_follow),
	    cmocka_unit_test(code_without_words_is_enough),
	    cmocka_unit_test(old_sentence_may_be_part_of_the_new),
	    cmocka_unit_test(overlong_sentences_are_cut_visibly),
	    cmocka_unit_test(log_writes_one_line_a_call),
	    cmocka_unit_test(journal_gets_priorities),
	    cmocka_unit_test(log_lets_no_control_byte_through),
	    cmocka_unit_test(programs_get_fields_and_ids),
	    cmocka_unit_test(levels_come_from_the_table),
	    cmocka_unit_test(the_manual_page_names_every_message),
	    cmocka_unit_test(clocks_go_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
