/* control/pages_none.c - the table of a program that was built without the page. */
#include "control/pages.h"

/* C has no array without an element; it is not counted. */
const struct page_file page_files[] = {{NULL, NULL, NULL, 0}};
const uint32_t page_file_count = 0;
