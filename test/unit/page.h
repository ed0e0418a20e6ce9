/* A manual page as it is printed, and as it is kept in doc/. */
#ifndef TEST_UNIT_PAGE_H
#define TEST_UNIT_PAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What print writes; owned by the caller. */
static inline char *page_printed(void (*print)(FILE *out))
{
	static char *text;	/* static: gcc 12 thinks that the stream goes on writing it */
	static size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print(out);
	fclose(out);
	return text;
}

static inline void page_is_kept(void (*print)(FILE *out), const char *path)
{
	char *expected = page_printed(print), *kept = calloc(strlen(expected) + 2, 1);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fread(kept, 1, strlen(expected) + 1, f), strlen(expected));
	assert_string_equal(kept, expected);
	fclose(f);
	free(kept);
	free(expected);
}

#endif
