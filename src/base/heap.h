/* base/heap.h - the process's memory as a whole: how much is in use, and what is free.
 *
 * Thread: any.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>

/* Bytes that are in use at present: of the heap, as the C library counts them
 * (mallinfo2), and of regions (base/region.h). With a sanitizer, whose heap the library
 * does not know, the former are next to none. Takes a walk over what is free. */
size_t heap_bytes_in_use(void);

/* Gives the system back what is free anywhere in the heap, which the C library by itself
 * does at its end only. Takes a walk over the heap, during which others wait who take
 * from it: for programs whose heap is small, when they have nothing to do. */
void heap_trim(void);

#endif
