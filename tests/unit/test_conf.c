/* Every file in tests/cases/conf is loaded; its first line says how that ends:
 *
 *	# ok
 *	# error LINE: WORDS        the sentence starts with this file and line and holds the words
 *	# error FILE:LINE: WORDS   the same in an included file
 *	# error -: WORDS           no line
 *	# hint WORDS               second line, may be left out
 *
 * The files are copied first: a checkout's permissions are not for us to judge.
 */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/adapter.h"
#include "bridge/conf/conf.h"
#include "bridge/conf/conf_tree.h"

#define CASES "tests/cases/conf"

static char work[] = "/tmp/test_conf.XXXXXX";

/* ---- made-up adapters: the registry of the program has more and changes ------------------ */

static const struct setting_key leases_keys[] = {
    {"file", SETTING_STR, true, "the lease file"},
    {0},
};
static const struct setting_key neighbour_keys[] = {
    {"format", SETTING_STR, false, NULL},
    {"file", SETTING_LIST, false, NULL},
    {"command", SETTING_LIST, false, NULL},
    {0},
};
static const struct setting_key ncr_keys[] = {
    {"listen", SETTING_STR, false, NULL}, {"confirm", SETTING_STR, false, NULL},
    {"buffer", SETTING_SIZE, false, NULL}, {"tcp", SETTING_BOOL, false, NULL},
    {"wait", SETTING_DURATION, false, NULL}, {0},
};
static const struct adapter_ops adapters[] = {
    {.type = "kea-leases", .kind = OBS_LEASE, .keys = leases_keys},
    {.type = "neighbour", .kind = OBS_NEIGHBOUR, .keys = neighbour_keys},
    {.type = "kea-ncr", .kind = OBS_LEASE, .keys = ncr_keys},
};

const struct adapter_ops *adapter_at(size_t i)
{
	return i < sizeof(adapters) / sizeof(adapters[0]) ? &adapters[i] : NULL;
}

const struct adapter_ops *adapter_find(const char *type)
{
	for (size_t i = 0; adapter_at(i) != NULL; i++)
		if (strcmp(adapter_at(i)->type, type) == 0)
			return adapter_at(i);
	return NULL;
}

/* ---- files ------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void in_work(char out[512], const char *name)
{
	assert_true(snprintf(out, 512, "%s/%s", work, name) < 512);
}

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 262144);

	assert_non_null(f);
	assert_non_null(text);
	*len = fread(text, 1, 262143, f);
	fclose(f);
	return text;
}

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char to[512], *text;
	size_t len;

	(void)st;
	(void)ftw;
	in_work(to, path + strlen(CASES));
	if (type == FTW_D)
		return mkdir(to, 0700) < 0 && errno != EEXIST;
	text = slurp(path, &len);
	write_file(to, text, len, 0600);
	free(text);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int copy_cases(void **state)
{
	(void)state;
	setenv("CONF_TEST_ADDRESS", "192.0.2.53", 1);
	unsetenv("CONF_TEST_UNSET");
	if (mkdtemp(work) == NULL)
		return -1;
	if (nftw(CASES, copy_one, 8, FTW_PHYS) != 0) {
		print_error("run it in the root of the source tree: %s is read\n", CASES);
		return -1;
	}
	return 0;
}

static int remove_cases(void **state)
{
	(void)state;
	return nftw(work, remove_one, 8, FTW_PHYS | FTW_DEPTH);
}

/* ---- cases ------------------------------------------------------------------------------- */

static void expect_error(const struct err *e, const char *name, const char *line)
{
	const char *colon = strstr(line, ": ");
	char start[1024];

	assert_non_null(colon);
	if (line[0] == '-')
		snprintf(start, sizeof(start), "%s/%s: ", work, name);
	else if (line[0] >= '0' && line[0] <= '9')
		snprintf(start, sizeof(start), "%s/%s:%.*s: ", work, name, (int)(colon - line), line);
	else
		snprintf(start, sizeof(start), "%s/%.*s: ", work, (int)(colon - line), line);
	if (strncmp(e->text, start, strlen(start)) != 0 || strstr(e->text, colon + 2) == NULL)
		fail_msg("got  %s\n     want %s...%s", e->text, start, colon + 2);
}

/* Cuts the next line out of a text. */
static char *take_line(char **text)
{
	char *line = *text;

	*text += strcspn(line, "\n");
	if (**text == '\n')
		*(*text)++ = '\0';
	line[strcspn(line, "\r")] = '\0';
	return line;
}

static void check_case(const char *name, char *text)
{
	char path[512], *first = take_line(&text), *second = take_line(&text);
	struct conf *c = NULL;
	struct err e = {0};
	int r;

	in_work(path, name);
	r = conf_load(&c, path, &e);
	if (strcmp(first, "# ok") == 0) {
		if (r != 0)
			fail_msg("%s", e.text);
		conf_free(c);
		return;
	}
	assert_int_equal(strncmp(first, "# error ", 8), 0);
	assert_int_equal(r, ERR_CONF);
	assert_null(c);
	expect_error(&e, name, first + 8);
	if (strncmp(second, "# hint ", 7) == 0 && strstr(e.hint, second + 7) == NULL)
		fail_msg("hint is %s\n     want %s", e.hint, second + 7);
}

static void run_case(void **state)
{
	char path[512];
	size_t len;
	char *text;

	in_work(path, *state);
	text = slurp(path, &len);
	check_case(*state, text);
	free(text);
}

/* ---- what a good file becomes ------------------------------------------------------------ */

static struct conf *load(const char *name)
{
	struct conf *c = NULL;
	struct err e = {0};
	char path[512];

	in_work(path, name);
	if (conf_load(&c, path, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

static struct ipaddr ip(const char *s)
{
	struct ipaddr a = {0};

	assert_true(ipaddr_parse(&a, s, strlen(s)));
	return a;
}

static void top_level_settings_arrive(void **state)
{
	struct conf *c = load("ok-full.conf");

	(void)state;
	assert_string_equal(c->database, "host=/run/ipambridge dbname=ipambridge");
	assert_string_equal(c->state_dir, "/var/lib/bridge");
	assert_int_equal(c->policy.brake_percent, 20);
	assert_int_equal(c->policy.brake_min, 5);
	assert_int_equal(c->journal_keep_s, 30 * 86400);
	assert_int_equal(c->run_timeout_s, 300);
	assert_int_equal(c->statement_timeout_s, 20);
	assert_int_equal(c->reconcile_s, 60);
	assert_int_equal(c->pull_s, 1800);
	assert_int_equal(c->full_s, 12 * 3600);
	assert_int_equal(c->notify_listen.address.family, 4);
	assert_int_equal(c->notify_listen.port, 5300);
	conf_free(c);
}

static void defaults_stand_where_nothing_is_said(void **state)
{
	struct conf *c = load("ok-database-alone.conf");

	(void)state;
	assert_string_equal(c->database, "");
	assert_string_equal(c->state_dir, "/var/lib/ipambridge");
	assert_int_equal(c->policy.brake_percent, 30);
	assert_int_equal(c->policy.brake_min, 10);
	assert_int_equal(c->journal_keep_s, 90 * 86400);
	assert_int_equal(c->run_timeout_s, 600);
	assert_int_equal(c->statement_timeout_s, 30);
	assert_int_equal(c->reconcile_s, 300);
	assert_int_equal(c->pull_s, 900);
	assert_int_equal(c->full_s, 86400);
	assert_int_equal(c->log_format, LOG_TEXT);
	assert_int_equal(c->http.address.family, 0);
	assert_int_equal(c->notify_listen.address.family, 0);
	assert_int_equal(c->policy.n_spaces, 1);
	assert_string_equal(c->policy.spaces[0].name, "default");
	assert_int_equal(c->policy.spaces[0].n_sources, 2);
	conf_free(c);
}

static void servers_arrive_with_their_transfer_side(void **state)
{
	struct conf *c = load("ok-full.conf");
	const struct conf_server *s = conf_server_find(c, "ns1"), *t = conf_server_find(c, "ns2");
	struct ipaddr a = ip("127.0.0.2"), b = ip("2001:db8::53");

	(void)state;
	assert_null(conf_server_find(c, "ns3"));
	assert_int_equal(s->port, 5353);
	assert_string_equal(s->key_file, "/etc/ipambridge/ddns.key");
	assert_int_equal(ipaddr_cmp(&s->transfer_address, &a), 0);
	assert_int_equal(s->transfer_port, 5354);
	assert_string_equal(s->transfer_key_file, "/etc/ipambridge/xfr.key");
	assert_int_equal(s->timeout_s, 4);
	assert_int_equal(s->window, 16);
	assert_true(s->allow_unsigned_transfer);
	assert_int_equal(t->port, 53);
	assert_int_equal(ipaddr_cmp(&t->transfer_address, &b), 0);
	assert_int_equal(t->transfer_port, 53);
	assert_null(t->key_file);
	assert_null(t->transfer_key_file);
	assert_int_equal(t->source_address.family, 0);
	assert_int_equal(t->timeout_s, 5);
	assert_int_equal(t->window, 64);
	assert_false(t->allow_unsigned_transfer);
	conf_free(c);
}

static void zones_arrive_with_their_defaults(void **state)
{
	struct conf *c = load("ok-full.conf");
	const struct policy_zone *z = c->policy.spaces[0].zones;

	(void)state;
	assert_int_equal(c->policy.spaces[0].n_zones, 5);
	assert_string_equal(z[0].text, "lab.example");
	assert_int_equal(z[0].n_servers, 2);
	assert_string_equal(z[0].servers[1], "ns2");
	assert_int_equal(z[0].ttl_s, 600);
	assert_int_equal(z[0].foreign, FOREIGN_TAKE);
	assert_int_equal(z[0].duplicates, DUPLICATES_REFUSE);
	assert_int_equal(z[1].duplicates, DUPLICATES_SUFFIX);
	assert_false(z[0].dhcid);
	assert_string_equal(z[0].view, "inside");
	assert_string_equal(z[1].view, "");
	assert_int_equal(z[1].ttl_s, 300);
	assert_int_equal(z[1].foreign, FOREIGN_KEEP);
	assert_int_equal(z[0].addresses, ADDRESSES_ALL);
	assert_int_equal(z[1].addresses, ADDRESSES_NEWEST);
	assert_true(z[1].dhcid);
	assert_false(z[1].is_reverse);
	assert_true(z[2].is_reverse);
	assert_int_equal(z[2].covers.len, 24);
	assert_int_equal(z[4].covers.len, 32);
	assert_int_equal(z[4].covers.addr.family, 6);
	conf_free(c);
}

static void a_subnet_has_the_longest_reverse_zone_around_it(void **state)
{
	struct conf *c = load("ok-full.conf");
	const struct policy_space *s = &c->policy.spaces[0];
	struct ipaddr in25 = ip("192.0.2.9"), in24 = ip("192.0.3.9"), ten = ip("10.1.2.3"),
		      six = ip("2001:db8::9"), upper = ip("192.0.2.200");

	(void)state;
	assert_string_equal(policy_subnet_of(s, &in25)->reverse->text, "2.0.192.in-addr.arpa");
	assert_string_equal(policy_subnet_of(s, &in24)->reverse->text, "0.192.in-addr.arpa");
	assert_string_equal(policy_subnet_of(s, &six)->reverse->text, "8.b.d.0.1.0.0.2.ip6.arpa");
	assert_null(policy_subnet_of(s, &ten)->reverse);
	assert_null(policy_subnet_of(s, &upper));
	assert_int_equal(policy_subnet_of(s, &in25)->n_zones, 2);
	assert_string_equal(policy_subnet_of(s, &six)->zones[0]->text, "lab.example");
	conf_free(c);
}

static void a_subnet_wider_than_its_reverse_zones_still_has_one(void **state)
{
	struct conf *c = load("ok-wide-subnet.conf");
	const struct policy_subnet *sn = &c->policy.spaces[0].subnets[0];

	(void)state;
	assert_non_null(sn->reverse);
	assert_string_equal(sn->reverse->text, "1.0.10.in-addr.arpa");
	conf_free(c);
}

static void rank_is_the_default_order_or_what_is_listed(void **state)
{
	struct conf *c = load("ok-full.conf");
	const struct policy_space *s = &c->policy.spaces[0];
	struct ipaddr listed = ip("192.0.2.9"), plain = ip("10.0.0.1");
	const struct policy_subnet *a = policy_subnet_of(s, &listed);
	const struct policy_subnet *b = policy_subnet_of(s, &plain);

	(void)state;
	assert_int_equal(a->n_rank, 2);
	assert_int_equal(policy_rank(a, OBS_MANUAL), 0);
	assert_int_equal(policy_rank(a, OBS_LEASE), 1);
	assert_int_equal(policy_rank(a, OBS_NEIGHBOUR), -1);
	for (int k = 0; k < OBS_KINDS; k++)
		assert_int_equal(policy_rank(b, (enum obs_kind)k), k);
	conf_free(c);
}

static void sources_arrive_typed_by_their_adapter(void **state)
{
	struct conf *c = load("ok-full.conf");
	const struct conf_source *arp = conf_source_find(c, "default", "arp");
	const struct conf_source *ncr = conf_source_find(c, "default", "ncr");
	const struct setting *command = settings_find(&arp->set, "command");

	(void)state;
	assert_string_equal(arp->type, "neighbour");
	assert_int_equal(arp->timeout_s, 10);
	assert_int_equal(arp->every_s, 300);
	assert_int_equal(arp->stale_after_s, 7200);
	assert_int_equal(command->n, 4);
	assert_string_equal(command->list[3], "-an");
	assert_string_equal(settings_str(&arp->set, "format", ""), "bsd");
	assert_null(settings_find(&arp->set, "timeout"));
	assert_true(arp->set.line > 0 && command->line > arp->set.line);
	assert_int_equal(settings_num(&ncr->set, "buffer", 0), 4 << 20);
	assert_int_equal(settings_num(&ncr->set, "tcp", 0), 1);
	assert_int_equal(settings_num(&ncr->set, "wait", 0), 2);
	assert_string_equal(settings_str(&ncr->set, "state-dir", ""), "/var/lib/bridge");
	assert_int_equal(ncr->timeout_s, 30);
	assert_int_equal(ncr->every_s, 0);
	assert_int_equal(ncr->stale_after_s, 0);
	conf_free(c);
}

static void policy_sources_end_with_manual_and_dns(void **state)
{
	struct conf *c = load("ok-full.conf");
	const struct policy_space *s = &c->policy.spaces[0];

	(void)state;
	assert_int_equal(s->n_sources, 6);
	assert_string_equal(s->sources[0].name, "dhcp");
	assert_int_equal(s->sources[0].kind, OBS_LEASE);
	assert_int_equal(s->sources[1].stale_after_s, 7200);
	assert_int_equal(s->sources[3].kind, OBS_RESERVATION);
	assert_string_equal(s->sources[4].name, SOURCE_MANUAL);
	assert_int_equal(s->sources[4].kind, OBS_MANUAL);
	assert_string_equal(s->sources[5].name, SOURCE_DNS);
	assert_int_equal(s->sources[5].kind, OBS_DNS);
	assert_int_equal(c->n_sources, 5);
	conf_free(c);
}

static void a_space_stands_for_itself(void **state)
{
	struct conf *c = load("ok-full.conf");
	const struct policy_space *s = policy_space_by_name(&c->policy, "branch");

	(void)state;
	assert_int_equal(c->policy.n_spaces, 2);
	assert_ptr_equal(s, &c->policy.spaces[1]);
	assert_int_equal(s->n_zones, 1);
	assert_string_equal(settings_str(&conf_source_find(c, "branch", "dhcp")->set, "file", ""),
			    "/srv/branch.csv");
	assert_null(conf_source_find(c, "branch", "arp"));
	assert_int_equal(s->n_protect, 3);
	assert_string_equal(s->protect[0], "printer*");
	assert_string_equal(s->protect[1], "vpn.lab.example");
	assert_string_equal(s->protect[2], "cam-[a-z]");
	assert_int_equal(c->policy.spaces[0].n_protect, 2);
	conf_free(c);
}

static void included_files_come_in_order_and_nest(void **state)
{
	struct conf *c = load("ok-include.conf");

	(void)state;
	assert_int_equal(c->policy.spaces[0].n_zones, 2);
	assert_string_equal(c->policy.spaces[0].zones[1].text, "nested.example");
	assert_int_equal(c->policy.spaces[0].n_subnets, 1);
	conf_free(c);
}

static void variables_expand_with_their_default(void **state)
{
	struct conf *c = load("ok-variable.conf");
	struct ipaddr a = ip("192.0.2.53");

	(void)state;
	assert_int_equal(ipaddr_cmp(&c->servers[0].address, &a), 0);
	assert_int_equal(c->servers[0].port, 5353);
	conf_free(c);
}

static void a_good_file_loads_after_a_bad_one(void **state)
{
	static const char *const bad[] = {"string-open.conf", "comment-open.conf",
					  "include-error-inside.conf", "string-escape.conf",
					  "list-for-scalar.conf", "brace-open.conf"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct conf *c = NULL;
		char path[512];

		in_work(path, bad[i]);
		assert_int_equal(conf_load(&c, path, NULL), ERR_CONF);
		conf_free(load("ok-full.conf"));
	}
}

/* ---- files that are not for reading ------------------------------------------------------ */

static void expect_refusal(const char *path, const char *words, const char *hint)
{
	struct conf *c = NULL;
	struct err e = {0};

	assert_int_equal(conf_load(&c, path, &e), ERR_CONF);
	if (strncmp(e.text, path, strlen(path)) != 0 || strstr(e.text, words) == NULL)
		fail_msg("%s", e.text);
	if (strchr(e.text, '\n') != NULL || strstr(e.hint, hint) == NULL)
		fail_msg("hint %s", e.hint);
}

static void a_file_others_may_write_is_refused(void **state)
{
	static const mode_t modes[] = {0620, 0602, 0666};
	char path[512];

	(void)state;
	in_work(path, "modes.conf");
	for (size_t i = 0; i < 3; i++) {
		write_file(path, "database = \"\"\n", 14, modes[i]);
		expect_refusal(path, "others than its owner may write it", "chmod go-w ");
	}
	write_file(path, "database = \"\"\n", 14, 0644);
	conf_free(load("modes.conf"));
}

static void a_missing_file_and_a_directory_are_one_line(void **state)
{
	(void)state;
	expect_refusal("/nonexistent/ipambridge.conf", "No such file or directory", "");
	expect_refusal(work, "is a directory", "");
	expect_refusal("/dev/null", "is not a regular file", "");
}

static void an_empty_file_and_a_nul_byte_are_named(void **state)
{
	char path[512];

	(void)state;
	in_work(path, "odd.conf");
	write_file(path, "", 0, 0600);
	expect_refusal(path, "is empty", "");
	write_file(path, "\n\nx\0y", 5, 0600);
	expect_refusal(path, ":3: the file holds a NUL byte", "");
}

static void ten_thousand_zones_load(void **state)
{
	struct buf b = BUF_INIT;
	struct conf *c;
	char path[512];

	(void)state;
	buf_str(&b, "server \"s\" { address = ::1 }\n");
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "zone \"z%d.example\" { server = \"s\" }\n", i);
	in_work(path, "many.conf");
	write_file(path, b.p, b.len, 0600);
	c = load("many.conf");
	assert_int_equal(c->policy.spaces[0].n_zones, 10000);
	conf_free(c);
	buf_fini(&b);
}

/* Nothing that can be cut off or broken in one byte may crash or hang the reader. */
static void no_broken_byte_breaks_the_reader(void **state)
{
	static const char bytes[] = "\"'{}()=,*#/\\$;\n\1\377+|";
	char from[512], path[512];
	size_t len;
	char *text;

	(void)state;
	in_work(from, "ok-full.conf");
	in_work(path, "broken.conf");
	text = slurp(from, &len);
	for (size_t at = 0; at < len; at += 3) {
		char was = text[at];
		struct conf *c = NULL;
		struct err e = {0};

		text[at] = bytes[at % (sizeof(bytes) - 1)];
		write_file(path, text, at % 2 ? len : at + 1, 0600);
		if (conf_load(&c, path, &e) < 0)
			assert_int_equal(strncmp(e.text, path, strlen(path)), 0);
		conf_free(c);
		text[at] = was;
	}
	free(text);
}

/* ---- the manual page --------------------------------------------------------------------- */

static void check_documented(const char *page, const struct conf_key *keys)
{
	for (; keys->name != NULL; keys++) {
		char item[80];

		snprintf(item, sizeof(item), keys->keys != NULL ? "\n.It Ic %s" : "\n.It Cm %s",
			 keys->name);
		if (strstr(page, item) == NULL)
			fail_msg("ipambridge.conf.5 has no \"%s\"", item + 1);
		if (keys->keys != NULL)
			check_documented(page, keys->keys);
	}
}

static void the_manual_page_names_every_setting(void **state)
{
	size_t len;
	char *page = slurp("contrib/man/ipambridge.conf.5", &len);

	(void)state;
	check_documented(page, conf_keys);
	free(page);
}

/* ---- running ----------------------------------------------------------------------------- */

static const struct CMUnitTest fixed[] = {
    cmocka_unit_test(top_level_settings_arrive),
    cmocka_unit_test(defaults_stand_where_nothing_is_said),
    cmocka_unit_test(servers_arrive_with_their_transfer_side),
    cmocka_unit_test(zones_arrive_with_their_defaults),
    cmocka_unit_test(a_subnet_has_the_longest_reverse_zone_around_it),
    cmocka_unit_test(a_subnet_wider_than_its_reverse_zones_still_has_one),
    cmocka_unit_test(rank_is_the_default_order_or_what_is_listed),
    cmocka_unit_test(sources_arrive_typed_by_their_adapter),
    cmocka_unit_test(policy_sources_end_with_manual_and_dns),
    cmocka_unit_test(a_space_stands_for_itself),
    cmocka_unit_test(included_files_come_in_order_and_nest),
    cmocka_unit_test(variables_expand_with_their_default),
    cmocka_unit_test(a_good_file_loads_after_a_bad_one),
    cmocka_unit_test(a_file_others_may_write_is_refused),
    cmocka_unit_test(a_missing_file_and_a_directory_are_one_line),
    cmocka_unit_test(an_empty_file_and_a_nul_byte_are_named),
    cmocka_unit_test(ten_thousand_zones_load),
    cmocka_unit_test(no_broken_byte_breaks_the_reader),
    cmocka_unit_test(the_manual_page_names_every_setting),
};

enum { N_FIXED = sizeof(fixed) / sizeof(fixed[0]), CASES_MAX = 400 };

static int is_case(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot != NULL && strcmp(dot, ".conf") == 0;
}

int main(void)
{
	static struct CMUnitTest tests[N_FIXED + CASES_MAX];
	struct dirent **cases = NULL;
	int n = scandir(CASES, &cases, is_case, alphasort), r;

	if (n < 45 || n > CASES_MAX) {
		fprintf(stderr, "%s: %d cases found\n", CASES, n);
		return 1;
	}
	for (int i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){cases[i]->d_name, run_case, NULL, NULL,
					       cases[i]->d_name};
	for (int i = 0; i < N_FIXED; i++)
		tests[n + i] = fixed[i];
	r = _cmocka_run_group_tests("conf", tests, (size_t)n + N_FIXED, copy_cases, remove_cases);
	for (int i = 0; i < n; i++)
		free(cases[i]);
	free(cases);
	return r;
}
