#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void memory_exhausted(size_t count, size_t size)
{
	fprintf(stderr, "out of memory: no %zu x %zu bytes\n", count, size);
	abort();
}

void *memory_new(size_t count, size_t size)
{
	void *at = calloc(count > 0 ? count : 1, size);
	if (at == NULL)
		memory_exhausted(count, size);
	return at;
}

void *memory_new_aligned(size_t alignment, size_t size)
{
	size_t whole = (size + alignment - 1) / alignment * alignment;
	void *at = aligned_alloc(alignment, whole);
	if (at == NULL)
		memory_exhausted(1, whole);
	return memset(at, 0, whole);
}

void *memory_grow(void *old, size_t count, size_t size)
{
	void *at = reallocarray(old, count > 0 ? count : 1, size);
	if (at == NULL)
		memory_exhausted(count, size);
	return at;
}

char *memory_text(const char *text)
{
	size_t size = strlen(text) + 1;
	return memcpy(memory_new(size, 1), text, size);
}
