/* base/places.h - where a balancer's control socket and its state are.
 *
 * The rules of doc/control.md, for the daemon and for balancerctl, so that both come to
 * the same path. Pure but for places_from_environment: no file is looked at, and none is
 * made.
 */
#ifndef BASE_PLACES_H
#define BASE_PLACES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	PLACES_NAME_MAX   = 63,
	PLACES_SOCKET_MAX = 108,	/* with NUL; of struct sockaddr_un, unix(7) */
	PLACES_FOLDER_MAX = 4096,	/* with NUL */
	PLACES_SLUG_MAX   = 80,
};

#define PLACES_NAME_DEFAULT "default"

/* All that a place goes by. Texts are borrowed; NULL and "" mean that it is not given.
 * Who does not know some of them (balancerctl knows no file) leaves them NULL. */
struct places {
	const char *socket;		/* --socket */
	const char *name;		/* --name */
	const char *state;		/* --state */
	const char *file_socket;	/* the PATH of the file's `control unix:PATH` */
	const char *file_state;		/* the file's `state DIR` */

	uid_t       uid;
	const char *balancerd_socket;	/* the environment's, by these names */
	const char *xdg_runtime_dir;
	const char *xdg_state_home;
	const char *home;
	const char *runtime_directory;	/* systemd's, for the daemon alone */
	const char *state_directory;
};

/* Sets uid and what the environment has; all else is NULL. What systemd says about its
 * service is left out unless of_daemon: a service that calls balancerctl has folders of
 * its own. */
void places_from_environment(struct places *p, bool of_daemon);

/* Where the control socket is. *by_default (may be NULL): neither a path nor a name was
 * given. -1 and *err: the name is none, or the path is too long for a socket. */
int places_socket(const struct places *p, char out[PLACES_SOCKET_MAX], bool *by_default,
		  struct err *err);

/* The folder of the state. -1 and *err: nothing says where. */
int places_state(const struct places *p, char out[PLACES_FOLDER_MAX], struct err *err);

/* The end of what is served (a file's real path; "tcp 127.0.0.1:80"), in characters that
 * every file name may have: for people to tell files apart by. */
void places_slug(char slug[PLACES_SLUG_MAX + 1], const char *serves);

/* The path of a file about what is served, in the folder of the state: KIND, the slug, eight
 * digits, and the end. Owned by the caller (free). */
char *places_state_file(const char *folder, const char *kind, const char *serves,
			const char *end);

/* Letters, digits, '-', '_' and '.', which is not the first; 1 to PLACES_NAME_MAX. */
bool places_is_name(const char *name);

#endif
