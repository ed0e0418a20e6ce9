/* What is seen of an engine of processes from outside: those that run, what they have had
 * written into the log, and what is left in the folder. */
#ifndef TEST_UNIT_SPAWN_PROCESS_SEEN_H
#define TEST_UNIT_SPAWN_PROCESS_SEEN_H

#include "unit/spawn/process_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

enum { LOG_MAX = 256 * 1024 };

static inline struct spawn_server the_only_one(void)
{
	struct asked a;

	list_in(here.engine, &a);
	assert_int_equal(a.result, SPAWN_DONE);
	assert_int_equal(a.found_count, 1);
	return a.found[0];
}

static inline uint32_t count_of_all(void)
{
	struct asked a;

	list_in(here.engine, &a);
	assert_int_equal(a.result, SPAWN_DONE);
	return a.found_count;
}

static inline pid_t pid_of(const struct spawn_server *s)
{
	return (pid_t)strtol(s->id, NULL, 10);
}

/* Whether there is such a process, and it has not ended. */
static inline bool lives(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t len = read(fd, text, sizeof text - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	const char *end = strrchr(text, ')');
	return end != NULL && end[2] != 'Z' && end[2] != 'X';
}

/* All of the log so far. */
static inline const char *log_text(void)
{
	static char text[LOG_MAX];
	int fd = open(here.log, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	ssize_t len = read(fd, text, sizeof text - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static inline bool log_has(const char *part)
{
	return strstr(log_text(), part) != NULL;
}

/* The number that a server has said behind this word. */
static inline pid_t number_said(const char *word)
{
	WAIT_UNTIL(log_has(word));
	return (pid_t)strtol(strstr(log_text(), word) + strlen(word), NULL, 10);
}

static inline uint32_t entries_of(const char *path)
{
	DIR *folder = opendir(path);
	uint32_t count = 0;

	assert_non_null(folder);
	for (struct dirent *d; (d = readdir(folder)) != NULL;)
		count += d->d_name[0] != '.';
	closedir(folder);
	return count;
}

static inline void path_in(char out[160], const char *file)
{
	snprintf(out, 160, "%s/owned/test/web/%s", here.folder, file);
}

/* Scripts that wait for a file named "go" do no longer. */
static inline void let_go(void)
{
	char path[160];

	snprintf(path, sizeof path, "%s/go", here.folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

/* Nothing but the lock is left of all servers, and no child. */
static inline void assert_nothing_is_left(void)
{
	char path[160];

	path_in(path, "");
	assert_int_equal(count_of_all(), 0);
	assert_int_equal(entries_of(path), 1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

#endif
