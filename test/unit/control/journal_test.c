/* Goal: whatever is in the place of the file, a start goes on; whatever goes wrong with
 * writing, the old file stays. */
#include "control/journal.h"

#include "unit/control/sample.h"
#include "unit/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char serves[] = "/etc/balancerd/balancerd.conf";
static char folder[TREE_PATH_MAX];

static int set_up(void **state)
{
	(void)state;
	return tree_make(folder, "journal_test");
}

static int tear_down(void **state)
{
	(void)state;
	return tree_remove(folder);
}

static struct changes *adding(const char *server)
{
	struct changes *all = changes_create();
	struct change c = sample_change(CHANGE_ADD, "web", server);

	assert_true(changes_restore(all, &c));
	return all;
}

static void assert_kept(struct journal *j, const char *server)
{
	struct changes *all = journal_read(j), *want = adding(server);

	assert_same_lasting(all, want);
	changes_destroy(all);
	changes_destroy(want);
}

static void assert_nothing_kept(struct journal *j)
{
	struct changes *all = journal_read(j);

	assert_int_equal(changes_count(all), 0);
	changes_destroy(all);
}

static int keep(struct journal *j, const char *server, struct err *err)
{
	struct changes *all = adding(server);
	int result = journal_write(j, all, err);

	changes_destroy(all);
	return result;
}

static void must_keep(struct journal *j, const char *server)
{
	struct err err = {""};

	if (keep(j, server, &err) != 0)
		fail_msg("%s", err.text);
}

/* How many files are there, but for locks. */
static int count_files(const char *where)
{
	DIR *d = opendir(where);
	int count = 0;

	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL; )
		count += e->d_name[0] != '.' && strstr(e->d_name, ".lock") == NULL;
	closedir(d);
	return count;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void what_was_kept_is_there_again(void **state)
{
	struct journal *j = journal_open(folder, serves);

	(void)state;
	assert_nothing_kept(j);
	must_keep(j, "1");
	must_keep(j, "2");
	journal_close(j);

	j = journal_open(folder, serves);
	assert_kept(j, "127.0.0.1:2");
	must_keep(j, "3");
	assert_kept(j, "127.0.0.1:3");
	assert_int_equal(count_files(folder), 1);
	journal_close(j);
}

static void nothing_leaves_no_trace(void **state)
{
	char deep[128];
	struct changes *none = changes_create();
	struct err err;

	(void)state;
	snprintf(deep, sizeof deep, "%s/a/b", folder);
	struct journal *j = journal_open(deep, serves);
	assert_nothing_kept(j);
	assert_int_equal(journal_write(j, none, &err), 0);
	assert_int_equal(count_files(folder), 0);

	/* Once there was something, nothing is worth writing down. */
	must_keep(j, "1");
	assert_int_equal(count_files(deep), 1);
	assert_int_equal(journal_write(j, none, &err), 0);
	assert_nothing_kept(j);
	changes_destroy(none);
	journal_close(j);
}

static void each_has_a_file_with_a_name_to_read(void **state)
{
	struct journal *a = journal_open("/x", "/etc/balancerd/web.conf");
	struct journal *b = journal_open("/x", "/etc/balancerd-web.conf");
	struct journal *c = journal_open("/x", "tcp [::1]:80");
	char longest[4096];

	(void)state;
	assert_non_null(strstr(journal_path(a), "/x/etc-balancerd-web.conf-"));
	assert_non_null(strstr(journal_path(b), "/x/etc-balancerd-web.conf-"));
	assert_string_not_equal(journal_path(a), journal_path(b));
	assert_non_null(strstr(journal_path(c), "/x/tcp-1-80-"));
	journal_close(a);
	journal_close(b);
	journal_close(c);

	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	a = journal_open(folder, longest);
	must_keep(a, "1");
	journal_close(a);
}

static void assert_set_aside(struct journal *j)
{
	char bad[512];
	struct stat st;

	assert_nothing_kept(j);
	assert_int_not_equal(lstat(journal_path(j), &st), 0);
	snprintf(bad, sizeof bad, "%s.bad", journal_path(j));
	assert_int_equal(lstat(bad, &st), 0);
	must_keep(j, "1");
	assert_kept(j, "127.0.0.1:1");
}

static void what_is_no_journal_is_set_aside(void **state)
{
	struct journal *j = journal_open(folder, serves);

	(void)state;
	put(journal_path(j), "{\"format\": 1,");
	assert_set_aside(j);
	put(journal_path(j), "");		/* an earlier .bad is replaced */
	assert_set_aside(j);

	unlink(journal_path(j));
	assert_int_equal(mkdir(journal_path(j), 0755), 0);	/* by a folder, too */
	assert_set_aside(j);
	unlink(journal_path(j));
	assert_int_equal(mkfifo(journal_path(j), 0644), 0);
	assert_set_aside(j);
	unlink(journal_path(j));
	assert_int_equal(symlink(journal_path(j), journal_path(j)), 0);
	assert_set_aside(j);
	journal_close(j);
}

static void a_file_without_end_is_not_read_whole(void **state)
{
	struct journal *j = journal_open(folder, serves);

	(void)state;
	put(journal_path(j), "");
	assert_int_equal(truncate(journal_path(j), (off_t)1 << 40), 0);
	assert_set_aside(j);
	journal_close(j);
}

static void two_never_write_the_same(void **state)
{
	struct journal *a = journal_open(folder, serves);
	struct journal *b = journal_open(folder, serves);
	struct journal *other = journal_open(folder, "http 8080");
	char pid[32];
	struct err err = {""};

	(void)state;
	assert_nothing_kept(b);
	must_keep(a, "1");
	assert_int_equal(keep(b, "2", &err), -1);
	snprintf(pid, sizeof pid, "process %d;", (int)getpid());
	assert_non_null(strstr(err.text, pid));
	must_keep(other, "3");
	assert_kept(a, "127.0.0.1:1");

	/* What the other one has written must be read before it is written over. */
	journal_close(a);
	assert_int_equal(keep(b, "2", &err), -1);
	assert_non_null(strstr(err.text, "restart"));
	assert_kept(b, "127.0.0.1:1");
	must_keep(b, "2");
	journal_close(b);
	journal_close(other);
}

static void deleted_by_hand_is_deleted(void **state)
{
	struct journal *j = journal_open(folder, serves);

	(void)state;
	must_keep(j, "1");
	assert_int_equal(tree_remove(folder), 0);
	must_keep(j, "2");

	struct journal *second = journal_open(folder, serves);
	struct err err;
	assert_kept(second, "127.0.0.1:2");
	assert_int_equal(keep(second, "3", &err), -1);	/* the lock is there again */
	journal_close(second);
	journal_close(j);
}

static void moved_away_is_begun_anew_with_a_lock(void **state)
{
	struct journal *j = journal_open(folder, serves);
	char elsewhere[128];
	struct err err;

	(void)state;
	snprintf(elsewhere, sizeof elsewhere, "%s.moved", folder);
	must_keep(j, "1");
	assert_int_equal(rename(folder, elsewhere), 0);
	must_keep(j, "2");

	struct journal *second = journal_open(folder, serves);
	assert_kept(second, "127.0.0.1:2");
	assert_int_equal(keep(second, "3", &err), -1);
	journal_close(second);
	journal_close(j);
	assert_int_equal(tree_remove(elsewhere), 0);
}

/* In a process of its own: the limit cannot be taken back without privileges. */
static void when_the_disk_is_full_the_old_file_stays(void **state)
{
	struct journal *j = journal_open(folder, serves);

	(void)state;
	must_keep(j, "1");
	pid_t child = fork();
	if (child == 0) {
		struct rlimit limit = {64, 64};
		struct err err;
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(keep(j, "2", &err) == -1 ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(count_files(folder), 1);
	assert_kept(j, "127.0.0.1:1");
	journal_close(j);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
	char inside[128];
	struct err err = {""};

	(void)state;
	snprintf(inside, sizeof inside, "%s/file", folder);
	put(inside, "");
	snprintf(inside, sizeof inside, "%s/file/state", folder);
	struct journal *j = journal_open(inside, serves);
	assert_nothing_kept(j);
	assert_int_equal(keep(j, "1", &err), -1);
	assert_non_null(strstr(err.text, inside));
	journal_close(j);
}

static void one_that_is_only_looked_at_stays(void **state)
{
	struct err err;

	(void)state;
	struct journal *j = journal_open(folder, serves);
	put(journal_path(j), "nonsense");
	assert_null(journal_read_only(j, &err));
	assert_int_equal(access(journal_path(j), F_OK), 0);
	assert_nothing_kept(j);
	assert_int_not_equal(access(journal_path(j), F_OK), 0);
	journal_close(j);
}

static void one_that_is_let_go_is_anothers(void **state)
{
	struct err err;

	(void)state;
	struct journal *old = journal_open(folder, serves);
	assert_int_equal(keep(old, "1", &err), 0);
	struct journal *new = journal_open(folder, serves);
	struct changes *all = journal_read_only(new, &err);
	assert_non_null(all);
	assert_int_equal(journal_write(new, all, &err), -1);
	journal_release(old);
	assert_int_equal(journal_write(new, all, &err), 0);
	assert_int_equal(keep(old, "2", &err), -1);
	changes_destroy(all);
	journal_close(old);
	journal_close(new);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_kept_is_there_again),
		TEST(nothing_leaves_no_trace),
		TEST(each_has_a_file_with_a_name_to_read),
		TEST(what_is_no_journal_is_set_aside),
		TEST(a_file_without_end_is_not_read_whole),
		TEST(two_never_write_the_same),
		TEST(deleted_by_hand_is_deleted),
		TEST(moved_away_is_begun_anew_with_a_lock),
		TEST(when_the_disk_is_full_the_old_file_stays),
		TEST(a_folder_that_cannot_be_made_is_an_error),
		TEST(one_that_is_only_looked_at_stays),
		TEST(one_that_is_let_go_is_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
