/* Key files: both forms, what is refused, and what no message may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/dns/key.h"

#define SECRET "c2VjcmV0IQ==" /* secret! */

static int parse(struct tsig_key *k, const char *text, bool *weak, struct err *e)
{
	return key_parse(k, text, strlen(text), "ddns.key", weak, e);
}

static void accepts(const char *text, const char *alg, bool weak_wanted)
{
	struct tsig_key k;
	struct dname name;
	struct err e = {0};
	bool weak = !weak_wanted;

	if (parse(&k, text, &weak, &e) != 0)
		fail_msg("%s: %s", text, e.text);
	assert_true(dname_parse(&name, "ddns.lab", 8));
	assert_true(dname_equal(&k.name, &name));
	assert_string_equal(k.alg->name, alg);
	assert_int_equal(k.secret_len, 7);
	assert_memory_equal(k.secret, "secret!", 7);
	assert_int_equal(weak, weak_wanted);
	assert_non_null(k.mac);
	key_wipe(&k);
	for (size_t i = 0; i < sizeof(k.secret); i++)
		assert_int_equal(k.secret[i], 0);
	assert_null(k.mac);
	key_wipe(&k);
}

static void the_clause_of_tsig_keygen_is_read(void **state)
{
	(void)state;
	accepts("key \"ddns.lab\" {\n\talgorithm hmac-sha256;\n\tsecret \"" SECRET "\";\n};\n",
		"hmac-sha256", false);
	accepts("# a comment\n// one\n/* two\n */ KEY ddns.lab. { secret " SECRET
		"; algorithm \"HMAC-SHA512.\"; } ;# end", "hmac-sha512", false);
	accepts("key ddns.lab{algorithm hmac-sha1;secret \"" SECRET "\";};", "hmac-sha1", true);
}

static void the_one_line_form_is_read(void **state)
{
	(void)state;
	accepts("hmac-sha384:ddns.lab:" SECRET "\n", "hmac-sha384", false);
	accepts("DDNS.lab.:" SECRET, "hmac-sha256", false);
	accepts("  hmac-sha224:ddns.lab:" SECRET "  \n\n", "hmac-sha224", false);
	accepts("hmac-sha1:ddns.lab:" SECRET, "hmac-sha1", true);
}

static void refuses(const char *text, const char *words)
{
	struct tsig_key k;
	struct err e = {0};
	static const struct tsig_key none;

	assert_int_equal(parse(&k, text, NULL, &e), ERR_CONF);
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, words);
	assert_non_null(strstr(e.text, "key file \"ddns.key\", line "));
	assert_null(strstr(e.text, "c2Vj"));
	assert_null(strstr(e.hint, "c2Vj"));
	assert_true(e.hint[0] != '\0');
	assert_memory_equal(&k, &none, sizeof(k));
}

static void malformed_keys_are_refused_without_quoting_them(void **state)
{
	(void)state;
	refuses("", "holds no key");
	refuses(" \n/* open", "does not end");
	refuses(SECRET, "neither");
	refuses("hmac-md5:ddns.lab:" SECRET, "hmac-md5 is broken");
	refuses("hmac-sha256-128:ddns.lab:" SECRET, "the algorithm is not");
	refuses("hmac-sha256:ddns.lab:c2VjcmV0IQ", "not base64");
	refuses("hmac-sha256:ddns.lab:c2VjcmV0IR==", "not base64"); /* spare bits */
	refuses("hmac-sha256:ddns.lab:c2Vj=mV0", "not base64");
	refuses("hmac-sha256:ddns.lab:====", "not base64");
	refuses("hmac-sha256:ddns.lab:", "not base64");
	refuses("hmac-sha256:a..b:" SECRET, "no domain name");
	refuses("hmac-sha256::" SECRET, "no domain name");
	refuses(":" SECRET, "no domain name");
	refuses("hmac-sha256:.:" SECRET, "no domain name");
	refuses("ddns.lab:" SECRET " more", "follows");
	refuses("key ddns.lab { algorithm hmac-sha256; };", "lacks");
	refuses("key ddns.lab { secret " SECRET "; };", "lacks");
	refuses("key ddns.lab { secret " SECRET "; secret " SECRET "; };", "twice");
	refuses("key ddns.lab { algorithm hmac-sha256; secret " SECRET "; }", "expected \";\"");
	refuses("key ddns.lab { algorithm hmac-sha256; secret " SECRET " };", "expected \";\"");
	refuses("key ddns.lab { algorithm hmac-sha256; secret \"" SECRET "\n\"; };", "missing");
	refuses("key ddns.lab { colour red; };", "expected");
	refuses("key ddns.lab algorithm", "expected \"{\"");
	refuses("key { };", "expected \"{\"");
	refuses("key", "no domain name");
	refuses("key \"\" {", "does not end");
	refuses("key ddns.lab { algorithm hmac-sha256; secret " SECRET "; };\nkey b { };",
		"one key");
}

static void lines_are_counted(void **state)
{
	struct tsig_key k;
	struct err e;

	(void)state;
	assert_int_equal(parse(&k, "# one\n/* two\nthree */\nkey ddns.lab {\n\tcolour", NULL, &e),
			 ERR_CONF);
	assert_non_null(strstr(e.text, "line 5:"));
}

static void a_secret_of_128_bytes_fits_and_of_129_does_not(void **state)
{
	struct tsig_key k;
	char text[400] = "a.b:";

	(void)state;
	memset(text + 4, 'A', 168);
	memcpy(text + 4 + 168, "AAA=", 5); /* 126 + 2 */
	assert_int_equal(parse(&k, text, NULL, NULL), 0);
	assert_int_equal(k.secret_len, 128);
	key_wipe(&k);
	memcpy(text + 4 + 168, "AAAA", 5);
	assert_int_equal(parse(&k, text, NULL, NULL), ERR_CONF);
}

static void algorithms_are_five(void **state)
{
	const char *no[] = {"", "md5", "hmac-md5", "hmac-md5.sig-alg.reg.int", "hmac-sha",
			    "hmac-sha2560", "sha256", "gss-tsig", "hmac-sha256-128", "."};

	(void)state;
	assert_int_equal(tsig_alg_find("hmac-SHA224", 11)->mac_len, 28);
	assert_int_equal(tsig_alg_find("hmac-sha384.", 12)->mac_len, 48);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_null(tsig_alg_find(no[i], strlen(no[i])));
}

/* ---- files ---- */

static char dir[] = "/tmp/test_key.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static const char *path_of(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text, size_t n, mode_t mode)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void file_refuses(const char *name, const char *words)
{
	struct tsig_key k;
	struct err e = {0};

	assert_int_equal(key_read(&k, path_of(name), NULL, &e), ERR_CONF);
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, words);
	assert_non_null(strstr(e.text, path_of(name)));
}

static void a_file_must_be_its_owners_alone(void **state)
{
	static char big[20000];
	const char text[] = "ddns.lab:" SECRET "\n";
	const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644};
	struct tsig_key k;
	struct err e = {0};
	bool weak;

	(void)state;
	put("k", text, sizeof(text) - 1, 0600);
	assert_int_equal(key_read(&k, path_of("k"), &weak, &e), 0);
	assert_int_equal(k.secret_len, 7);
	key_wipe(&k);
	put("k", text, sizeof(text) - 1, 0400);
	assert_int_equal(key_read(&k, path_of("k"), &weak, &e), 0);
	key_wipe(&k);
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		put("k", text, sizeof(text) - 1, open_modes[i]);
		file_refuses("k", "can be read or changed by others");
	}
	char target[100];
	snprintf(target, sizeof(target), "%s", path_of("k"));
	assert_int_equal(symlink(target, path_of("link")), 0);
	file_refuses("link", "symbolic link");
	file_refuses("none", "No such file");
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	file_refuses("pipe", "not a regular file");
	memset(big, '#', sizeof(big));
	put("big", big, sizeof(big), 0600);
	file_refuses("big", "16 KiB");
	for (const char *const *n = (const char *const[]){"k", "link", "pipe", "big", NULL}; *n; n++)
		assert_int_equal(unlink(path_of(*n)), 0);
	assert_int_equal(key_read(&k, dir, NULL, &e), ERR_CONF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clause_of_tsig_keygen_is_read),
		cmocka_unit_test(the_one_line_form_is_read),
		cmocka_unit_test(malformed_keys_are_refused_without_quoting_them),
		cmocka_unit_test(lines_are_counted),
		cmocka_unit_test(a_secret_of_128_bytes_fits_and_of_129_does_not),
		cmocka_unit_test(algorithms_are_five),
		cmocka_unit_test(a_file_must_be_its_owners_alone),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
