/* base/folder.h - folders for what a process keeps, and files in them that are replaced as a
 * whole. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include "base/err.h"

/* Makes all folders of the path that are missing, mode 0755. What cannot be made is seen
 * by who opens something in it. */
void folder_make(const char *path);

/* What was renamed in it is so after a loss of power, too. One that cannot be synced
 * may show the old file then, which is no worse than the change coming a moment later:
 * the log says so. */
void folder_sync(const char *path);

/* The file `path` in the folder, which is made if it is missing, has this text from now on:
 * written to `beside`, synced, renamed, so that it is the old one or the new one whenever the
 * power goes. Nobody else may write `beside` meanwhile; what is there is deleted first. Waits
 * for the disk. -1 and *err: the file is as before, and nothing is beside it. */
int folder_replace(const char *folder, const char *path, const char *beside, const char *text,
		   struct err *err);

#endif
