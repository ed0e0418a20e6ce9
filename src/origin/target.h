/* origin/target.h - reads request targets: path, query, and the file a path names.
 *
 * Pure: no file is looked at. target_to_file refuses what climbs out of a directory
 * by its text alone; links are the business of files.c.
 */
#ifndef ORIGIN_TARGET_H
#define ORIGIN_TARGET_H

#include <limits.h>
#include <stdbool.h>

#include "base/span.h"

/* Cuts "path?query" at the first question mark; without one the query is empty. */
void target_split(struct span target, struct span *path, struct span *query);

/* Takes the next `key=value` (or `key`, then the value is empty) off the front of
 * the query. False when there is none left. Nothing is %-decoded: all keys and
 * values that mean something here are plain words and numbers. */
bool target_query_next(struct span *query, struct span *key, struct span *value);

/* Whether the query has this key, with or without a value. */
bool target_query_has(struct span query, struct span key);

enum target_file {
	TARGET_FILE_OK,
	TARGET_FILE_MALFORMED,	/* a bad % sequence, or a NUL */
	TARGET_FILE_OUTSIDE,	/* a segment is ".." */
	TARGET_FILE_LONG,	/* no file has such a long path */
};

/* %-decodes a path into a NUL-terminated file path without leading slashes; "." for
 * the root. `file` is written in any case, but is of use only with TARGET_FILE_OK. */
enum target_file target_to_file(struct span path, char file[PATH_MAX]);

#endif
