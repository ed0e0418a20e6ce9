/* test/unit/tree.h - a folder for one test, and all that it comes to have. */
#ifndef UNIT_TREE_H
#define UNIT_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { TREE_PATH_MAX = 64 };

/* Makes one below /tmp, named after the test. 0, or -1: it could not be made. */
static inline int tree_make(char path[TREE_PATH_MAX], const char *test)
{
	snprintf(path, TREE_PATH_MAX, "/tmp/%s.XXXXXX", test);
	return mkdtemp(path) != NULL ? 0 : -1;
}

static inline int tree_remove_one(const char *at, const struct stat *st, int kind,
				  struct FTW *how)
{
	(void)st;
	(void)kind;
	(void)how;
	return remove(at);
}

/* 0: it is gone, with all that is in it. */
static inline int tree_remove(const char *path)
{
	return nftw(path, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
