#include "spawn/process_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"

static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

/* Names that nobody but us has a use for; with an asterisk, all that begin so. */
static const char *const ours[] = {
	"BALANCERD_*", "NOTIFY_SOCKET", "LISTEN_*", "WATCHDOG_*", "MAINPID", "MANAGERPID",
	"INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "CREDENTIALS_DIRECTORY",
	"STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CONFIGURATION_DIRECTORY",
	"LOGS_DIRECTORY", "CACHE_DIRECTORY", "MEMORY_PRESSURE_*",
};

static bool is_ours(const char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		size_t many = strcspn(ours[i], "*");
		bool begins = len >= many && memcmp(variable, ours[i], many) == 0;
		if (begins && (ours[i][many] == '*' || len == many))
			return true;
	}
	return false;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return len == strcspn(b, "=") && memcmp(a, b, len) == 0;
}

/* In place of one with the same name, or behind the last. */
static void put(char **environment, const char *variable)
{
	while (*environment != NULL && !same_name(*environment, variable))
		environment++;
	free(*environment);
	*environment = memory_text(variable);
}

char **process_environment_create(const struct model_own *own, const char *id,
				  uint16_t port)
{
	char variable[sizeof "SERVER_ID=" + OWN_NAME_MAX];
	size_t count = 0;

	while (environ != NULL && environ[count] != NULL)
		count++;
	char **all = memory_new(count + own->environment_count + 3, sizeof *all);
	for (size_t i = 0; i < count; i++)
		if (strchr(environ[i], '=') != NULL && !is_ours(environ[i]))
			put(all, environ[i]);
	for (uint32_t i = 0; i < own->environment_count; i++)
		put(all, own->environment[i]);
	snprintf(variable, sizeof variable, "PORT=%u", port);
	put(all, variable);
	snprintf(variable, sizeof variable, "SERVER_ID=%s", id);
	put(all, variable);
	return all;
}

void process_environment_destroy(char **environment)
{
	for (char **at = environment; at != NULL && *at != NULL; at++)
		free(*at);
	free(environment);
}

const char *process_environment_find(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

static bool is_program(int at, const char *path)
{
	struct stat st;

	return fstatat(at, path, &st, 0) == 0 && S_ISREG(st.st_mode) &&
	       faccessat(at, path, X_OK, AT_EACCESS) == 0;
}

/* Relative folders of PATH, and empty ones, begin where the program is to run. */
static bool find_in(int at, const char *path, const char *word, char out[PATH_MAX])
{
	while (path != NULL) {
		size_t len = strcspn(path, ":");
		int made = snprintf(out, PATH_MAX, "%.*s%s%s", (int)len, path,
				    len > 0 ? "/" : "./", word);
		if (made < PATH_MAX && is_program(at, out))
			return true;
		path = path[len] == ':' ? path + len + 1 : NULL;
	}
	return false;
}

int process_program_find(const char *word, char *const *environment,
			 const char *directory, char out[PATH_MAX], struct err *err)
{
	if (strchr(word, '/') != NULL) {
		if (snprintf(out, PATH_MAX, "%s", word) >= PATH_MAX)
			return err_set(err, "the path of the program is too long");
		return 0;
	}
	const char *path = process_environment_find(environment, "PATH");
	int at = AT_FDCWD;
	if (path == NULL)
		path = default_path;
	if (directory != NULL) {
		at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (at < 0)
			return err_sys(err, "cannot enter the directory %s, where %s is "
				       "to run", directory, word);
	}
	bool found = find_in(at, path, word, out);
	if (at >= 0)
		close(at);
	if (found)
		return 0;
	return err_set(err, "%s: not found in PATH (%s); please give its path, such as "
		       "/usr/bin/%s, or ./%s from the directory it runs in", word, path,
		       word, word);
}
