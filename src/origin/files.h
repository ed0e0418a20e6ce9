/* origin/files.h - files below one directory: read, and replaced as a whole.
 *
 * No path leads out of the directory: openat2(2) with RESOLVE_BENEATH refuses what
 * `..` or a link would reach outside. A file that is written stands under a name of
 * its own until it is complete, then takes its place in one step (rename); nobody
 * ever sees half of it.
 *
 * The calls may wait for the disk: this server is for demos and tests, whose files
 * are in memory anyway. Results are HTTP statuses.
 */
#ifndef ORIGIN_FILES_H
#define ORIGIN_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Opens a file for reading. 200: *fd (given to the caller) and *length are set;
 * otherwise 403, 404, 500 or 503. Paths are those of target_to_file. */
uint16_t files_open(int directory, const char *path, int *fd, uint64_t *length);

/* A file on its way in. */
struct upload;

/* 200: *u is set, to be ended with upload_finish or upload_cancel; otherwise 403,
 * 404, 500, 503 or 507, and *u is NULL. */
uint16_t upload_start(struct upload **u, int directory, const char *path);

/* False: it cannot be written, the disk may be full. */
bool upload_write(struct upload *u, struct span bytes);

/* Puts the file in its place and frees u. 201: it is new; 204: it replaced another;
 * otherwise 500 and nothing has changed. */
uint16_t upload_finish(struct upload *u);

/* Leaves nothing of it behind; NULL is allowed. */
void upload_cancel(struct upload *u);

#endif
