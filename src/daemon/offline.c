#include "daemon/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/config.h"
#include "config/format.h"

enum { EXIT_USAGE = 2, READ_STEP = 64 * 1024 };

static int complain(const struct err *err)
{
	fprintf(stderr, "balancerd: %s\n", err->text);
	return EXIT_FAILURE;
}

/* ---- fmt ---- */

/* Owned by the caller; NULL and *err. */
static char *read_file(const char *path, size_t *len, struct err *err)
{
	FILE *f = strcmp(path, "-") == 0 ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "re");
	char *text = memory_new(1, CONFIG_FILE_MAX + 1);

	*len = f != NULL ? fread(text, 1, CONFIG_FILE_MAX + 1, f) : 0;
	if (f == NULL || ferror(f))
		err_sys(err, "cannot read %s", path);
	else if (*len > CONFIG_FILE_MAX)
		err_set(err, "%s has more than %d bytes", path, CONFIG_FILE_MAX);
	else
		goto close_file;
	free(text);
	text = NULL;
close_file:
	if (f != NULL)
		fclose(f);
	return text;
}

/* A file beside it takes its place, so that whoever reads it meanwhile reads one or the
 * other. It keeps its mode; what a link leads to is replaced, not the link. */
static int replace_file(const char *path, struct span text, struct err *err)
{
	char *real = realpath(path, NULL), *new = NULL;
	struct stat st;
	int result = -1;

	if (real == NULL || stat(real, &st) != 0)
		return err_sys(err, "cannot write %s", path);
	if (asprintf(&new, "%s.XXXXXX", real) < 0)
		memory_exhausted(1, strlen(real));
	int fd = mkostemp(new, O_CLOEXEC);
	if (fd < 0) {
		err_sys(err, "cannot write a file beside %s", path);
		goto free_names;
	}
	ssize_t n = write(fd, text.at, text.len);
	if (n >= 0 && (size_t)n < text.len)
		errno = ENOSPC;
	if (n != (ssize_t)text.len || fchmod(fd, st.st_mode & 07777) != 0 ||
	    (fchown(fd, st.st_uid, st.st_gid) != 0 && errno != EPERM) || fsync(fd) != 0 ||
	    rename(new, real) != 0) {
		err_sys(err, "cannot write %s, which is as it was", path);
		unlink(new);
	} else {
		result = 0;
	}
	close(fd);
free_names:
	free(new);
	free(real);
	return result;
}

/* Only what reads without an error has a form. */
static bool is_good(const char *path, struct span text)
{
	struct config_report *report = memory_new(1, sizeof *report);
	struct model *m = config_read(text.at, text.len, path, report);
	bool good = m != NULL;

	if (!good)
		report_print(report, stderr);
	model_put(m);
	free(report);
	return good;
}

static int format_file(const char *path, bool write, bool check)
{
	struct err err;
	size_t len, formatted_len;
	char *text = read_file(path, &len, &err);

	if (text == NULL)
		return complain(&err);
	struct span before = {text, len};
	int code = EXIT_FAILURE;
	if (is_good(path, before)) {
		char *formatted = config_format(before, &formatted_len);
		struct span after = {formatted, formatted_len};
		bool same = span_equals(before, after);
		code = check && !same ? EXIT_FAILURE : EXIT_SUCCESS;
		if (check && !same)
			fprintf(stderr, "%s is not in the usual form; write: balancerd fmt "
				"--write %s\n", path, path);
		else if (write && !same && replace_file(path, after, &err) != 0)
			code = complain(&err);
		else if (!write && !check)
			fwrite(after.at, 1, after.len, stdout);
		free(formatted);
	}
	free(text);
	return code;
}

int offline_format(int argc, char **argv)
{
	bool write = argc == 2 && strcmp(argv[0], "--write") == 0;
	bool check = argc == 2 && strcmp(argv[0], "--check") == 0;
	const char *path = argc > 0 ? argv[argc - 1] : NULL;
	bool is_input = path != NULL && strcmp(path, "-") == 0;

	if ((argc != 1 && !write && !check) || (path[0] == '-' && !is_input) ||
	    (is_input && write)) {
		fprintf(stderr, "balancerd: usage: balancerd fmt [--write | --check] FILE; "
			"\"-\" is standard input\n");
		return EXIT_USAGE;
	}
	return format_file(path, write, check);
}
