/* base/secret.h - a secret in a file: its first line, if nobody but the file's owner can
 * read it.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#include "base/err.h"

/* Reads the first line of the file, without its end (LF or CR LF), into out; `kind`
 * is what messages call it: "token", "secret". It has 1 to `max` bytes, *len of them.
 * -1 and *err: the file is missing, no regular file, open to others, its first line
 * empty or too long. */
int secret_read(const char *path, const char *kind, char *out, size_t max, size_t *len,
		struct err *err);

#endif
