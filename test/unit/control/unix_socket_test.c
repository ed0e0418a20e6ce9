/* Goal: one process has the socket, the dead hold up nobody, and others keep out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/unix_socket.h"

static char folder[] = "/tmp/balancerd-socket-XXXXXX";
static char path[80], lock_path[96];
static struct unix_socket unix_socket;
static struct err err;
static bool taken;

static int make_folder(void **unused)
{
	(void)unused;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/a/b/c.sock", folder);
	snprintf(lock_path, sizeof lock_path, "%s.lock", path);
	return 0;
}

static int remove_folder(void **unused)
{
	char name[64];

	(void)unused;
	snprintf(name, sizeof name, "%s/a/b", folder);
	rmdir(name);
	snprintf(name, sizeof name, "%s/a", folder);
	rmdir(name);
	return rmdir(folder);
}

static mode_t mode_of(const char *name)
{
	struct stat about;

	assert_int_equal(lstat(name, &about), 0);
	return about.st_mode & 07777;
}

static void modes_do_not_go_by_the_umask(void **unused)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	char name[64];

	(void)unused;
	snprintf(name, sizeof name, "%s/a", folder);
	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
		mode_t before = umask(masks[i]);
		int fd = unix_socket_open(&unix_socket, path, &taken, &err);
		umask(before);
		assert_true(fd >= 0);
		assert_int_equal(mode_of(path), 0660);
		assert_int_equal(mode_of(name), 0755);
		close(fd);
		unix_socket_close(&unix_socket);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(access(lock_path, F_OK), -1);
	}
}

static void of_two_only_one_gets_it(void **unused)
{
	struct unix_socket second;

	(void)unused;
	int fd = unix_socket_open(&unix_socket, path, &taken, &err);
	assert_true(fd >= 0 && !taken);
	assert_int_equal(unix_socket_open(&second, path, &taken, &err), -1);
	assert_true(taken);
	assert_non_null(strstr(err.text, "process "));
	unix_socket_close(&second);
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
	unix_socket_close(&unix_socket);
}

/* One that knows nothing of the lock, but lives. */
static void a_living_one_is_not_replaced(void **unused)
{
	(void)unused;
	int fd = unix_socket_open(&unix_socket, path, &taken, &err);
	assert_true(fd >= 0);
	unlink(lock_path);
	struct unix_socket second;
	assert_int_equal(unix_socket_open(&second, path, &taken, &err), -1);
	assert_true(taken);
	close(fd);
	unix_socket_close(&unix_socket);
}

static void what_the_dead_left_is_replaced(void **unused)
{
	int status;

	(void)unused;
	pid_t child = fork();
	if (child == 0)
		_exit(unix_socket_open(&unix_socket, path, &taken, &err) < 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(access(path, F_OK), 0);
	int fd = unix_socket_open(&unix_socket, path, &taken, &err);
	assert_true(fd >= 0 && !taken);
	close(fd);
	unix_socket_close(&unix_socket);
}

static void a_file_in_the_way_stays(void **unused)
{
	(void)unused;
	int fd = unix_socket_open(&unix_socket, path, &taken, &err);
	close(fd);
	unix_socket_close(&unix_socket);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fclose(out);
	assert_int_equal(unix_socket_open(&unix_socket, path, &taken, &err), -1);
	assert_false(taken);
	assert_non_null(strstr(err.text, "is no socket"));
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(lock_path, F_OK), -1);
	unlink(path);
}

static void what_took_our_place_is_not_removed(void **unused)
{
	(void)unused;
	int fd = unix_socket_open(&unix_socket, path, &taken, &err);
	assert_true(fd >= 0);
	unlink(path);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fclose(out);
	close(fd);
	unix_socket_close(&unix_socket);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
}

/* In a process of its own, which cannot become root again. */
static void a_folder_of_a_stranger_is_not_trusted(void **unused)
{
	enum { STRANGER = 65533, OURSELVES };
	static const uid_t owners[] = {STRANGER, OURSELVES, 0};
	char name[64], inside[80];

	(void)unused;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(name, sizeof name, "%s/d", folder);
	snprintf(inside, sizeof inside, "%s/c.sock", name);
	assert_int_equal(mkdir(name, 0755), 0);
	assert_int_equal(chmod(name, 0777), 0);
	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
		int status;
		assert_int_equal(chown(name, owners[i], 0), 0);
		pid_t child = fork();
		if (child == 0) {
			bool refused = setuid(OURSELVES) == 0 &&
				unix_socket_open(&unix_socket, inside, &taken, &err) < 0;
			unix_socket_close(&unix_socket);
			_exit(refused ? 1 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, owners[i] == STRANGER ? 1 << 8 : 0);
	}
	assert_int_equal(rmdir(name), 0);
}

/* Both ends of a hand-over in one process: copies of the descriptors are what it gets. */
static void it_is_handed_over_without_a_gap(void **unused)
{
	struct unix_socket new, third;
	char pid[16] = "";

	(void)unused;
	int fd = unix_socket_open(&unix_socket, path, &taken, &err);
	assert_true(fd >= 0);
	int copy = unix_socket_adopt(&new, path, dup(fd), dup(unix_socket.lock), &err);
	assert_true(copy >= 0);
	unix_socket_close(&new);		/* it does not come up: all is there */
	close(copy);
	assert_int_equal(access(path, F_OK), 0);
	assert_true(unix_socket_open(&third, path, &taken, &err) < 0 && taken);

	copy = unix_socket_adopt(&new, path, dup(fd), dup(unix_socket.lock), &err);
	assert_true(copy >= 0);
	assert_int_equal(truncate(lock_path, 0), 0);
	unix_socket_leave(&unix_socket);
	unix_socket_close(&unix_socket);
	close(fd);
	unix_socket_own(&new);
	assert_true(pread(new.lock, pid, sizeof pid - 1, 0) > 0);
	assert_int_equal(atoi(pid), getpid());
	assert_true(unix_socket_open(&third, path, &taken, &err) < 0 && taken);
	unix_socket_close(&new);
	close(copy);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_not_equal(access(lock_path, F_OK), 0);
}

static void one_that_is_not_there_any_more_is_not_adopted(void **unused)
{
	struct unix_socket new;

	(void)unused;
	int fd = unix_socket_open(&unix_socket, path, &taken, &err);
	assert_true(fd >= 0);
	assert_int_equal(unlink(lock_path), 0);
	assert_int_equal(unix_socket_adopt(&new, path, dup(fd), dup(unix_socket.lock), &err),
			 -1);
	assert_non_null(strstr(err.text, "not there any more"));
	unix_socket_close(&unix_socket);
	close(fd);
}

static void a_path_that_does_not_fit_is_an_error(void **unused)
{
	char whole[400];

	(void)unused;
	memset(whole, 'a', sizeof whole);
	whole[0] = '/';
	whole[108] = '\0';
	assert_int_equal(unix_socket_open(&unix_socket, whole, &taken, &err), -1);
	whole[108] = 'a';
	whole[sizeof whole - 1] = '\0';
	assert_int_equal(unix_socket_open(&unix_socket, whole, &taken, &err), -1);
	assert_int_equal(unix_socket_open(&unix_socket, "", &taken, &err), -1);
	unix_socket_close(&unix_socket);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_do_not_go_by_the_umask),
		cmocka_unit_test(of_two_only_one_gets_it),
		cmocka_unit_test(a_living_one_is_not_replaced),
		cmocka_unit_test(what_the_dead_left_is_replaced),
		cmocka_unit_test(a_file_in_the_way_stays),
		cmocka_unit_test(what_took_our_place_is_not_removed),
		cmocka_unit_test(a_folder_of_a_stranger_is_not_trusted),
		cmocka_unit_test(it_is_handed_over_without_a_gap),
		cmocka_unit_test(one_that_is_not_there_any_more_is_not_adopted),
		cmocka_unit_test(a_path_that_does_not_fit_is_an_error),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
