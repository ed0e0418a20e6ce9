/* Goal: only who knows the token gets in, and a file that others can read is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "control/token.h"

static char folder[] = "/tmp/balancerd-token-XXXXXX";
static char change_path[64], read_path[64];

static int make_folder(void **unused)
{
	(void)unused;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(change_path, sizeof change_path, "%s/change", folder);
	snprintf(read_path, sizeof read_path, "%s/read", folder);
	return 0;
}

static int remove_folder(void **unused)
{
	(void)unused;
	unlink(change_path);
	unlink(read_path);
	return rmdir(folder);
}

static void write_file(const char *path, const char *content, mode_t mode)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(content, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static struct tokens tokens;
static struct err err;

static int load(bool with_read)
{
	struct model_control c = {
		.token_path = change_path,
		.read_token_path = with_read ? read_path : NULL,
	};

	return tokens_load(&tokens, &c, &err);
}

static enum role role(const char *authorization)
{
	return tokens_role(&tokens, span_of(authorization));
}

static void the_first_line_is_the_token(void **unused)
{
	static const char *const contents[] = {
		"s3cret", "s3cret\n", "s3cret\r\n", "s3cret\nx y\n",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(contents); i++) {
		write_file(change_path, contents[i], 0600);
		assert_int_equal(load(false), 0);
		assert_int_equal(role("Bearer s3cret"), ROLE_CHANGE);
	}
}

static void only_the_whole_token_counts(void **unused)
{
	static const char *const wrong[] = {
		"", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret1",
		"Bearer S3cret",
		"Basic s3cret", "s3cret", "Bearer  ", "Bearer s3cret ", "Bearers3cret",
	};

	(void)unused;
	write_file(change_path, "s3cret\n", 0600);
	assert_int_equal(load(false), 0);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(role(wrong[i]), ROLE_NONE);
	assert_int_equal(role("bearer  s3cret"), ROLE_CHANGE);
	assert_int_equal(tokens_role(&tokens, SPAN("Bearer \0")), ROLE_NONE);
	assert_int_equal(tokens_role(&tokens, SPAN("Bearer \0\0\0")), ROLE_NONE);
}

static void the_read_token_only_looks(void **unused)
{
	(void)unused;
	write_file(change_path, "a", 0600);
	write_file(read_path, "b", 0400);
	assert_int_equal(load(true), 0);
	assert_int_equal(role("Bearer a"), ROLE_CHANGE);
	assert_int_equal(role("Bearer b"), ROLE_READ);
	assert_int_equal(role("Bearer c"), ROLE_NONE);
	write_file(read_path, "a", 0600);
	assert_int_equal(load(true), -1);
	assert_non_null(strstr(err.text, "same token"));
	assert_int_equal(role("Bearer b"), ROLE_READ);	/* as before */
}

static void refused(const char *content, const char *part)
{
	write_file(change_path, content, 0600);
	assert_int_equal(load(false), -1);
	assert_non_null(strstr(err.text, part));
}

static void a_file_that_is_no_token_is_refused(void **unused)
{
	char token[TOKEN_MAX + 2];

	(void)unused;
	refused("", "empty");
	refused("\nabc\n", "empty");
	refused("a b\n", "letters");
	refused("a\xc3\xa4\n", "letters");
	refused("ab\rc", "letters");
	memset(token, 'x', sizeof token);
	token[TOKEN_MAX + 1] = '\0';
	refused(token, "longer");
	token[TOKEN_MAX] = '\n';
	write_file(change_path, token, 0600);
	assert_int_equal(load(false), 0);
	unlink(change_path);
	assert_int_equal(load(false), -1);
	assert_non_null(strstr(err.text, "cannot open"));
	assert_int_equal(mkdir(change_path, 0700), 0);
	assert_int_equal(load(false), -1);
	assert_non_null(strstr(err.text, "no regular file"));
	rmdir(change_path);
	assert_int_equal(mkfifo(change_path, 0600), 0);
	assert_int_equal(load(false), -1);
	assert_non_null(strstr(err.text, "no regular file"));
	unlink(change_path);
}

static void a_file_that_is_open_to_others_is_refused(void **unused)
{
	static const mode_t modes[] = {0640, 0604, 0660, 0644, 0601, 0620};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		write_file(change_path, "a", modes[i]);
		assert_int_equal(load(false), -1);
		assert_non_null(strstr(err.text, "chmod 600 "));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_is_the_token),
		cmocka_unit_test(only_the_whole_token_counts),
		cmocka_unit_test(the_read_token_only_looks),
		cmocka_unit_test(a_file_that_is_no_token_is_refused),
		cmocka_unit_test(a_file_that_is_open_to_others_is_refused),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
