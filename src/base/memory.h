/* base/memory.h - heap memory for the control side.
 *
 * Running out of memory while reading a configuration or starting up is not a
 * state this program can do anything sensible in: these end the process with a
 * message. The data path does not use them; it takes from slabs (base/slab.h),
 * which report failure.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Ends the process with a message: there was none for `count` objects of `size` bytes. */
__attribute__((noreturn, cold)) void memory_exhausted(size_t count, size_t size);

/* Zeroed memory for count objects of size bytes; owned by the caller (free). */
__attribute__((returns_nonnull, malloc)) void *memory_new(size_t count, size_t size);

/* Zeroed memory for one object of a type that wants more alignment than malloc
 * gives (a power of two); owned by the caller (free). */
__attribute__((returns_nonnull, malloc)) void *memory_new_aligned(size_t alignment,
								  size_t size);

/* As realloc for count objects; the part that is new is not zeroed. */
__attribute__((returns_nonnull)) void *memory_grow(void *old, size_t count, size_t size);

/* A copy of `text`, owned by the caller (free). */
__attribute__((returns_nonnull, malloc)) char *memory_text(const char *text);

/* Bytes of memory that are in use at present: of the heap, as the C library counts them
 * (mallinfo2), and of regions (base/region.h). With a sanitizer, whose heap the library does
 * not know, the former are next to none. Takes a walk over what is free. Any thread. */
size_t memory_heap_bytes(void);

/* Gives the system back what is free anywhere in the heap, which the C library by itself does
 * at its end only. Takes a walk over the heap, during which others wait who take from it: for
 * programs whose heap is small, when they have nothing to do. Any thread. */
void memory_trim(void);

#endif
