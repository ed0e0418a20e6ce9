/* control/pages.h - the files of the page that a browser shows, as they are in the program.
 *
 * The table is made at build time from what the page is written in. A program that was
 * built without it has the empty one (pages_none.c), and the interface says so; whoever
 * links an object with a table of its own before the library does not get that.
 *
 * Pure. Thread: any.
 */
#ifndef CONTROL_PAGES_H
#define CONTROL_PAGES_H

#include <stddef.h>
#include <stdint.h>

/* The file of this name is at / too. */
#define PAGE_FIRST "index.html"

struct page_file {
	const char *name;		/* what stands behind /page/; no "/" in it */
	const char *type;		/* its Content-Type */
	const char *bytes;
	size_t      len;
};

extern const struct page_file page_files[];
extern const uint32_t page_file_count;

#endif
