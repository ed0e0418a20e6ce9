/* base/folder.h - folders for what a process keeps. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

/* Makes all folders of the path that are missing, mode 0755. What cannot be made is seen
 * by who opens something in it. */
void folder_make(const char *path);

/* What was renamed in it is so after a loss of power, too. One that cannot be synced
 * may show the old file then, which is no worse than the change coming a moment later:
 * the log says so. */
void folder_sync(const char *path);

#endif
