#include "base/places.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"

void places_from_environment(struct places *p, bool of_daemon)
{
	*p = (struct places){
		.uid = geteuid(),
		.balancerd_socket = getenv("BALANCERD_SOCKET"),
		.xdg_runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.xdg_state_home = getenv("XDG_STATE_HOME"),
		.home = getenv("HOME"),
		.runtime_directory = of_daemon ? getenv("RUNTIME_DIRECTORY") : NULL,
		.state_directory = of_daemon ? getenv("STATE_DIRECTORY") : NULL,
	};
}

static bool is_given(const char *text)
{
	return text != NULL && *text != '\0';
}

/* A folder from the environment. Relative ones do not count (XDG Base Directory
 * Specification, "Basics"). */
static bool is_folder(const char *text)
{
	return is_given(text) && *text == '/';
}

bool places_is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(name);

	return len >= 1 && len <= PLACES_NAME_MAX && *name != '.' &&
	       strspn(name, allowed) == len;
}

/* systemd may name several folders, with colons between them: the first. */
static int first_length(const char *folders)
{
	return (int)strcspn(folders, ":");
}

/* False: it does not fit. */
__attribute__((format(printf, 3, 4)))
static bool write_path(char *out, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(out, size, format, args);
	va_end(args);
	return len >= 0 && (size_t)len < size;
}

/* NAME.sock in the folder of sockets. */
static bool write_named(const struct places *p, const char *name,
			char out[PLACES_SOCKET_MAX])
{
	if (is_folder(p->runtime_directory))
		return write_path(out, PLACES_SOCKET_MAX, "%.*s/%s.sock",
				  first_length(p->runtime_directory),
				  p->runtime_directory, name);
	if (p->uid == 0)
		return write_path(out, PLACES_SOCKET_MAX, "/run/balancerd/%s.sock",
				  name);
	if (is_folder(p->xdg_runtime_dir))
		return write_path(out, PLACES_SOCKET_MAX, "%s/balancerd/%s.sock",
				  p->xdg_runtime_dir, name);
	return write_path(out, PLACES_SOCKET_MAX, "/tmp/balancerd-%u/%s.sock",
			  (unsigned)p->uid, name);
}

int places_socket(const struct places *p, char out[PLACES_SOCKET_MAX], bool *by_default,
		  struct err *err)
{
	const char *const unnamed[] = {p->balancerd_socket, p->file_socket};
	const char *name = is_given(p->name) ? p->name : PLACES_NAME_DEFAULT;
	const char *path = is_given(p->socket) ? p->socket : NULL;
	char written[PLACES_SOCKET_MAX];

	/* What is typed comes before what is set once for all. */
	for (size_t i = 0; path == NULL && !is_given(p->name) && i < COUNT_OF(unnamed); i++)
		path = is_given(unnamed[i]) ? unnamed[i] : NULL;
	if (path == NULL && !places_is_name(name))
		return err_set(err, "\"%.80s\" is no name: expected 1 to %d letters, "
			       "digits, \"-\", \"_\" and \".\", not as the first",
			       name, PLACES_NAME_MAX);
	if (path != NULL ? !write_path(written, sizeof written, "%s", path)
			 : !write_named(p, name, written))
		return err_set(err, "the path of a control socket has %d bytes at most; "
			       "give a shorter one by --socket",
			       PLACES_SOCKET_MAX - 1);
	memcpy(out, written, sizeof written);
	if (by_default != NULL)
		*by_default = path == NULL && !is_given(p->name);
	return 0;
}

int places_state(const struct places *p, char out[PLACES_FOLDER_MAX], struct err *err)
{
	bool fits;

	if (is_given(p->state))
		fits = write_path(out, PLACES_FOLDER_MAX, "%s", p->state);
	else if (is_given(p->file_state))
		fits = write_path(out, PLACES_FOLDER_MAX, "%s", p->file_state);
	else if (is_folder(p->state_directory))
		fits = write_path(out, PLACES_FOLDER_MAX, "%.*s",
				  first_length(p->state_directory), p->state_directory);
	else if (p->uid == 0)
		fits = write_path(out, PLACES_FOLDER_MAX, "/var/lib/balancerd");
	else if (is_folder(p->xdg_state_home))
		fits = write_path(out, PLACES_FOLDER_MAX, "%s/balancerd",
				  p->xdg_state_home);
	else if (is_folder(p->home))
		fits = write_path(out, PLACES_FOLDER_MAX, "%s/.local/state/balancerd",
				  p->home);
	else
		return err_set(err, "no folder for the state: HOME is not set; give one "
			       "by --state");
	if (!fits)
		return err_set(err, "the path of the state folder is too long");
	return 0;
}

void places_slug(char slug[PLACES_SLUG_MAX + 1], const char *serves)
{
	size_t len = 0, all = strlen(serves);

	serves += all > PLACES_SLUG_MAX ? all - PLACES_SLUG_MAX : 0;
	for (const char *at = serves; *at != '\0'; at++) {
		bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			     (*at >= '0' && *at <= '9') || *at == '.' || *at == '_';
		if (plain)
			slug[len++] = *at;
		else if (len > 0 && slug[len - 1] != '-')
			slug[len++] = '-';
	}
	slug[len] = '\0';
}

char *places_state_file(const char *folder, const char *kind, const char *serves,
			const char *end)
{
	char slug[PLACES_SLUG_MAX + 1];
	char *path;

	places_slug(slug, serves);
	int len = asprintf(&path, "%s/%s-%s-%08" PRIx32 ".json%s", folder, kind, slug,
			   (uint32_t)hash_bytes(serves, strlen(serves)), end);
	return len >= 0 ? path : memory_text("");
}
