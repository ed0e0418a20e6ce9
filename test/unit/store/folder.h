/* test/unit/store/folder.h - a folder for one test, and files in it, whole. In memory
 * if the system has a place for that, so that thousands of syncs cost nothing. */
#ifndef UNIT_STORE_FOLDER_H
#define UNIT_STORE_FOLDER_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"

enum { FOLDER_PATH_MAX = 64 + 256 + 1 };

struct folder {
	char path[64];
};

static inline struct folder folder_make(void)
{
	struct folder f;

	snprintf(f.path, sizeof f.path, "%s/ledger-test-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(f.path) != NULL);
	return f;
}

static inline void folder_path(const struct folder *f, const char *name,
			       char out[FOLDER_PATH_MAX])
{
	snprintf(out, FOLDER_PATH_MAX, "%s/%s", f->path, name);
}

static inline bool folder_has(const struct folder *f, const char *name)
{
	char path[FOLDER_PATH_MAX];

	folder_path(f, name, path);
	return access(path, F_OK) == 0;
}

static inline void folder_remove_file(const struct folder *f, const char *name)
{
	char path[FOLDER_PATH_MAX];

	folder_path(f, name, path);
	must(unlink(path) == 0);
}

/* How many files there are. */
static inline uint32_t folder_each(const struct folder *f, bool remove_them)
{
	DIR *all = opendir(f->path);
	const struct dirent *one;
	uint32_t count = 0;

	must(all != NULL);
	while ((one = readdir(all)) != NULL) {
		if (one->d_name[0] == '.')
			continue;
		count++;
		if (remove_them)
			folder_remove_file(f, one->d_name);
	}
	closedir(all);
	return count;
}

static inline void folder_end(const struct folder *f)
{
	folder_each(f, true);
	must(rmdir(f->path) == 0);
}

/* All bytes of a file; owned by the caller. */
static inline uint8_t *folder_read(const struct folder *f, const char *name, size_t *len)
{
	char path[FOLDER_PATH_MAX];
	struct stat st;

	folder_path(f, name, path);
	FILE *file = fopen(path, "rb");
	must(file != NULL && fstat(fileno(file), &st) == 0);
	*len = (size_t)st.st_size;
	uint8_t *bytes = malloc(*len + 1);
	must(bytes != NULL && fread(bytes, 1, *len, file) == *len);
	fclose(file);
	return bytes;
}

static inline void folder_write(const struct folder *f, const char *name, const void *bytes,
				size_t len)
{
	char path[FOLDER_PATH_MAX];

	folder_path(f, name, path);
	FILE *file = fopen(path, "wb");
	must(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

#endif
