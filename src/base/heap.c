#include "base/heap.h"

#include <malloc.h>

#include "base/region.h"

size_t heap_bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd + region_bytes_out();
}

void heap_trim(void)
{
	malloc_trim(0);
}
