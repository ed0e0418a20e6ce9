/* base/must.h - assertions about our own mistakes, always compiled in.
 *
 * must() is for what only a bug of this program can make false; what a peer, a
 * file or a person can cause gets an error value instead (base/err.h).
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds `member` at address `at`. */
#define CONTAINER_OF(at, type, member) \
	((type *)(void *)((char *)(at) - offsetof(type, member)))

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define must(condition)                                                    \
	do {                                                               \
		if (UNLIKELY(!(condition)))                                \
			must_fail(#condition, __FILE__, __LINE__);         \
	} while (0)

/* Says what did not hold, on standard error, and aborts. */
__attribute__((noreturn, cold)) void must_fail(const char *condition,
					       const char *file, int line);

#endif
