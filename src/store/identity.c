#include "store/identity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/hmac.h"
#include "base/span.h"
#include "store/options.h"

static uint32_t random_id(void)
{
	uint32_t id;

	do {
		hmac_random(&id, sizeof id);
		id &= WORKER_ID_MAX;
	} while (id == 0);
	return id;
}

/* 0: there is no file yet. */
static int read_file(uint32_t *id, const char *path, struct err *err)
{
	char line[32];
	uint64_t number;
	FILE *file = fopen(path, "re");

	*id = 0;
	if (file == NULL)
		return errno == ENOENT ? 0 : err_sys(err, "cannot open %s", path);
	size_t len = fread(line, 1, sizeof line - 1, file);
	fclose(file);
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (!span_to_u64(span_of(line), &number) || number == 0 || number > WORKER_ID_MAX)
		return err_set(err, "%s has no worker's number in its first line; "
			       "correct or remove it", path);
	*id = (uint32_t)number;
	return 0;
}

static int write_file(uint32_t id, const char *path, struct err *err)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return err_sys(err, "cannot write %s", path);
	fprintf(file, "%u\n", id);
	if (fclose(file) != 0)
		return err_sys(err, "cannot write %s", path);
	return 0;
}

int identity_find(uint32_t *id, uint32_t wanted, const char *directory, struct err *err)
{
	char path[PATH_MAX];
	uint32_t kept = 0;

	if (directory != NULL) {
		int len = snprintf(path, sizeof path, "%s/id", directory);
		if (len < 0 || (size_t)len >= sizeof path)
			return err_set(err, "the name of %.100s is too long", directory);
		if (wanted == 0 && read_file(&kept, path, err) != 0)
			return -1;
	}
	*id = wanted != 0 ? wanted : kept != 0 ? kept : random_id();
	if (directory != NULL && *id != kept)
		return write_file(*id, path, err);
	return 0;
}
