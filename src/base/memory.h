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

#endif
