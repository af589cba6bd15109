/* test_output.c - tables and JSON of bridge/cli/output.c: hostile text, key order, empty lists. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/base/arena.h"
#include "bridge/cli/output.h"

static const struct out_col cols[] = {
    {"space", NULL, 0},
    {"name", "NAME", 0},
    {"address", "ADDRESS", 0},
    {"rows", "ROWS", OUT_RIGHT},
};

struct sample {
	const char *name;
	const char *addr;
	int64_t rows;
};

/* The listing as text; the caller frees it. */
static char *listing(bool json, const struct sample *v, size_t n)
{
	char *text = NULL;
	size_t len = 0;
	struct out *o = NULL;
	struct err e = {0};
	FILE *f = open_memstream(&text, &len);
	assert_int_equal(out_open(&o, f, json, cols, 4, &e), 0);
	for (size_t i = 0; i < n; i++) {
		struct ipaddr a = {0};
		if (v[i].addr != NULL)
			assert_true(ipaddr_parse(&a, v[i].addr, strlen(v[i].addr)));
		out_cell(o, js_text("default"));
		out_cell(o, js_text(v[i].name));
		out_cell(o, js_addr(&a));
		out_cell(o, js_num(v[i].rows));
	}
	assert_int_equal(out_end(o, &e), 0);
	out_freep(&o);
	fclose(f);
	return text;
}

static void json_has_one_object_a_line_in_the_order_of_columns(void **state)
{
	static const struct sample v[] = {{"b", "192.0.2.1", 3}, {NULL, NULL, 0}};
	(void)state;
	char *t = listing(true, v, 2);
	assert_string_equal(t, "[\n{\"space\": \"default\", \"name\": \"b\", \"address\": "
			       "\"192.0.2.1\", \"rows\": 3},\n"
			       "{\"space\": \"default\", \"name\": null, \"address\": null, "
			       "\"rows\": 0}\n]\n");
	free(t);
}

static void an_empty_listing_is_an_empty_array_or_nothing(void **state)
{
	(void)state;
	char *t = listing(true, NULL, 0);
	assert_string_equal(t, "[]\n");
	free(t);
	t = listing(false, NULL, 0);
	assert_string_equal(t, "");
	free(t);
}

static const struct sample hostile[] = {
    {"\033]0;owned\007\033[2J", "192.0.2.1", 1},
    {"caf\xc3\xa9", "192.0.2.2", 1},
    {"\xff\xfe", "192.0.2.3", 1},
    {"a\nb\tc\r\x7f", "192.0.2.4", 1},
    {"\xe2\x80\xae" "gpj.exe", "192.0.2.5", 1},
    {"back\\slash\"quote", "192.0.2.6", 1},
};

enum { N_HOSTILE = sizeof(hostile) / sizeof(hostile[0]) };

static void only_printable_ascii(const char *t)
{
	for (; *t != '\0'; t++)
		assert_true(*t == '\n' || (*t >= 0x20 && *t <= 0x7e));
}

static void hostile_names_reach_a_table_escaped(void **state)
{
	(void)state;
	char *t = listing(false, hostile, N_HOSTILE);
	only_printable_ascii(t);
	assert_non_null(strstr(t, "\\x1b]0;owned\\x07\\x1b[2J "));
	assert_non_null(strstr(t, "caf\\xc3\\xa9 "));
	assert_non_null(strstr(t, "a\\x0ab\\x09c\\x0d\\x7f "));
	assert_non_null(strstr(t, "back\\slash\"quote "));
	size_t lines = 0;
	for (const char *p = t; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, N_HOSTILE + 1);
	free(t);
}

static void hostile_names_in_json_are_ascii_and_read_back_as_they_were(void **state)
{
	(void)state;
	char *t = listing(true, hostile, N_HOSTILE);
	json_error_t je;
	only_printable_ascii(t);
	json_t *v = json_loads(t, 0, &je);
	assert_non_null(v);
	for (size_t i = 0; i < N_HOSTILE; i++) {
		const char *name =
		    json_string_value(json_object_get(json_array_get(v, i), "name"));
		/* What is no UTF-8 cannot be a JSON string: it reads as in tables. */
		assert_string_equal(name, i == 2 ? "\\xff\\xfe" : hostile[i].name);
	}
	json_decref(v);
	free(t);
}

static void a_table_has_titles_and_no_json_only_columns(void **state)
{
	static const struct sample v[] = {{"nas", "192.0.2.7", 12}};
	(void)state;
	char *t = listing(false, v, 1);
	assert_string_equal(t, "NAME ADDRESS   ROWS\nnas  192.0.2.7   12\n");
	free(t);
}

static void record_values_lose_the_final_dot_of_names(void **state)
{
	struct arena a = ARENA_INIT;
	struct rrs s = {0};
	struct dname n;
	struct ipaddr ip;
	(void)state;
	assert_true(dname_parse(&n, "nas.lab.example", 15));
	assert_true(ipaddr_parse(&ip, "192.0.2.7", 9));
	assert_int_equal(rrs_add_name(&s, &a, RR_PTR, &n), 0);
	assert_int_equal(rrs_add_addr(&s, &a, &ip), 0);
	json_t *v = js_rrs(&s, RR_PTR);
	char *t = json_dumps(v, 0);
	assert_string_equal(t, "[\"nas.lab.example\"]");
	free(t);
	json_decref(v);
	v = js_rrs(&s, 0);
	t = json_dumps(v, 0);
	assert_string_equal(t, "[\"A 192.0.2.7\", \"PTR nas.lab.example\"]");
	free(t);
	json_decref(v);
	arena_fini(&a);
}

static void times_that_are_not_known_or_never_come_are_null(void **state)
{
	(void)state;
	json_t *a = js_time(0), *b = js_time(OBS_FOREVER), *c = js_time(1795251600);
	assert_true(json_is_null(a));
	assert_true(json_is_null(b));
	assert_string_equal(json_string_value(c), "2026-11-21T09:00:00Z");
	json_decref(a);
	json_decref(b);
	json_decref(c);
}

static void a_full_disk_is_an_error(void **state)
{
	struct err e = {0};
	struct out *o = NULL;
	FILE *f = fopen("/dev/full", "w");
	(void)state;
	assert_non_null(f);
	assert_int_equal(out_open(&o, f, true, cols, 4, &e), 0);
	assert_int_equal(out_end(o, &e), ERR_SYS);
	assert_int_equal(out_object(f, json_object(), &e), ERR_SYS);
	out_freep(&o);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_has_one_object_a_line_in_the_order_of_columns),
	    cmocka_unit_test(an_empty_listing_is_an_empty_array_or_nothing),
	    cmocka_unit_test(hostile_names_reach_a_table_escaped),
	    cmocka_unit_test(hostile_names_in_json_are_ascii_and_read_back_as_they_were),
	    cmocka_unit_test(a_table_has_titles_and_no_json_only_columns),
	    cmocka_unit_test(record_values_lose_the_final_dot_of_names),
	    cmocka_unit_test(times_that_are_not_known_or_never_come_are_null),
	    cmocka_unit_test(a_full_disk_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
