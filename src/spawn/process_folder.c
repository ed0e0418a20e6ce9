#include "spawn/process_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "spawn/driver.h"

enum {
	FOLDER_MODE = 0700,
	FILE_MODE   = 0600,
	PART_MAX    = 200,	/* bytes of a folder's name; NAME_MAX is 255 */
};

/* ---- the folder itself ---- */

/* A name that any folder may have, and no two have in common: bytes that are not plain
 * are written as %XX, and a long one ends in its hash. */
static void encode_part(char out[PART_MAX + 1], const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t used = 0;
	const char *at = name;

	for (; *at != '\0' && used + 3 <= PART_MAX; at++) {
		unsigned char c = (unsigned char)*at;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '_' || c == '-' ||
			     (c == '.' && at != name);
		if (plain) {
			out[used++] = (char)c;
			continue;
		}
		out[used++] = '%';
		out[used++] = hex[c >> 4];
		out[used++] = hex[c & 15];
	}
	out[used] = '\0';
	if (*at != '\0')
		snprintf(out + PART_MAX - 20, 21, "%%%016" PRIx64,
			 hash_bytes(name, strlen(name)));
}

static int make_folders(char *path, struct err *err)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash != NULL)
			*slash = '\0';
		int made = mkdir(path, FOLDER_MODE);
		if (made != 0 && errno != EEXIST)
			return err_sys(err, "cannot make the folder %s; servers that are "
				       "processes need a state folder that the balancer "
				       "may write to (--state)", path);
		if (slash == NULL)
			return 0;
		*slash = '/';
	}
}

/* Whoever may write here may have us end any process of ours. */
static int check_owner(const struct process_folder *f, struct err *err)
{
	struct stat st;

	if (fstat(f->fd, &st) != 0)
		return err_sys(err, "cannot look at %s", f->path);
	if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022) != 0)
		return err_set(err, "others may write to the folder %s; please give it "
			       "to the user of the balancer alone (chown, chmod 700)",
			       f->path);
	return 0;
}

static int read_boot(struct process_folder *f, struct err *err)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "cannot read %s; servers that are processes need "
			       "/proc", path);
	ssize_t len = read(fd, f->boot, PROCESS_BOOT_MAX);
	close(fd);
	if (len <= 0)
		return err_sys(err, "cannot read %s", path);
	f->boot[len] = '\0';
	f->boot[strcspn(f->boot, "\n")] = '\0';
	return 0;
}

int process_folder_open(struct process_folder *f, const char *state, const char *balancer,
			const char *pool, struct err *err)
{
	char one[PART_MAX + 1], two[PART_MAX + 1];

	*f = (struct process_folder){.fd = -1, .lock = -1};
	if (state == NULL || *state == '\0')
		return err_set(err, "servers that are processes need a folder where they "
			       "are noted, to be found again; please give one with "
			       "--state, or \"state\" in the file");
	encode_part(one, balancer);
	encode_part(two, pool);
	if (asprintf(&f->path, "%s/owned/%s/%s", state, one, two) < 0)
		memory_exhausted(1, PATH_MAX);
	if (make_folders(f->path, err) != 0)
		goto close_folder;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0) {
		err_sys(err, "cannot open the folder %s", f->path);
		goto close_folder;
	}
	if (check_owner(f, err) != 0 || read_boot(f, err) != 0)
		goto close_folder;
	return 0;

close_folder:
	process_folder_close(f);
	return -1;
}

void process_folder_close(struct process_folder *f)
{
	if (f->lock >= 0)
		close(f->lock);
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	*f = (struct process_folder){.fd = -1, .lock = -1};
}

int process_folder_lock(struct process_folder *f, struct err *err)
{
	if (f->lock >= 0)
		return 0;
	int lock = openat(f->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			  FILE_MODE);
	if (lock < 0)
		return err_sys(err, "cannot write %s/lock", f->path);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			err_set(err, "another balancer has the servers of %s; two on one "
				"machine need a --name or a --state each", f->path);
		else
			err_sys(err, "cannot lock %s/lock", f->path);
		close(lock);
		return -1;
	}
	f->lock = lock;
	return 0;
}

/* ---- its files ---- */

void process_folder_name(char out[PROCESS_FILE_MAX], const char *name, const char *kind)
{
	must(spawn_name_is_good(name));
	must(snprintf(out, PROCESS_FILE_MAX, "%s.%s", name, kind) < PROCESS_FILE_MAX);
}

/* The server and the kind of a file's name. False: it is no file of a server. */
static bool split(const char *file, char name[OWN_NAME_MAX + 1], const char **kind)
{
	const char *dot = strrchr(file, '.');
	size_t len = dot != NULL ? (size_t)(dot - file) : 0;

	if (len == 0 || len > OWN_NAME_MAX)
		return false;
	memcpy(name, file, len);
	name[len] = '\0';
	*kind = dot + 1;
	return spawn_name_is_good(name);
}

static int visit(const struct process_folder *f, const char *file,
		 int (*each)(void *arg, const char *name, struct err *err), void *arg,
		 struct err *err)
{
	char name[OWN_NAME_MAX + 1], record[PROCESS_FILE_MAX];
	const char *kind;

	if (!split(file, name, &kind))
		return 0;
	if (strcmp(kind, "json") == 0)
		return each(arg, name, err);
	process_folder_name(record, name, "json");
	if (strcmp(kind, "new") == 0 ||
	    (strcmp(kind, "out") == 0 && faccessat(f->fd, record, F_OK, 0) != 0))
		unlinkat(f->fd, file, 0);
	return 0;
}

int process_folder_walk(const struct process_folder *f,
			int (*each)(void *arg, const char *name, struct err *err),
			void *arg, struct err *err)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *one;
	int result = 0;

	if (files == NULL) {
		err_sys(err, "cannot read the folder %s", f->path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (result == 0 && (errno = 0, one = readdir(files)) != NULL)
		result = visit(f, one->d_name, each, arg, err);
	if (result == 0 && errno != 0)
		result = err_sys(err, "cannot read the folder %s", f->path);
	closedir(files);
	return result;
}

/* As much as there is, up to size - 1 bytes, with a NUL. -1: errno says why. */
static ssize_t read_file(int folder, const char *file, char *out, size_t size)
{
	/* Not blocking: were it a pipe, nobody might ever write to it. */
	int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return -1;
	ssize_t len = read(fd, out, size - 1);
	int error = errno;
	close(fd);
	errno = error;
	out[len > 0 ? len : 0] = '\0';
	return len;
}

int process_folder_read(const struct process_folder *f, const char *name,
			struct process_record *r, struct err *err)
{
	char file[PROCESS_FILE_MAX], text[PROCESS_RECORD_MAX + 1];
	struct err why;

	process_folder_name(file, name, "json");
	ssize_t len = read_file(f->fd, file, text, sizeof text);
	if (len < 0)
		return err_sys(err, "cannot read %s/%s", f->path, file);
	if (process_record_decode(r, text, (size_t)len, &why) != 0)
		return err_set(err, "%s/%s says nothing of use: %s", f->path, file,
			       why.text);
	if (strcmp(r->name, name) != 0)
		return err_set(err, "%s/%s is about another server", f->path, file);
	return 0;
}

void process_folder_remove(const struct process_folder *f, const char *name)
{
	static const char *const kinds[] = {"new", "json", "out"};
	char file[PROCESS_FILE_MAX];

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		process_folder_name(file, name, kinds[i]);
		unlinkat(f->fd, file, 0);
	}
}

enum process_holder process_folder_holder(const struct process_folder *f,
					  const struct process_record *r)
{
	char path[64], text[PROCESS_STAT_MAX];
	uint64_t started;
	bool alive;

	if (strcmp(f->boot, r->boot) != 0)
		return PROCESS_ANOTHER;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)r->pid);
	ssize_t len = read_file(AT_FDCWD, path, text, sizeof text);
	if (len <= 0 || !process_stat_decode(text, (size_t)len, &started, &alive))
		return PROCESS_NOBODY;
	if (started != r->started)
		return PROCESS_ANOTHER;
	return alive ? PROCESS_ITSELF : PROCESS_ITS_ZOMBIE;
}
