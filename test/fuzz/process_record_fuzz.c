/* Property: a record that is read, written and read again is the same, whatever stands in
 * the file; and neither it nor a stat of /proc is read beyond its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "spawn/process_record.h"

static void must_be_stable(const char *text, size_t len)
{
	struct process_record first, second;
	char tail[PROCESS_TAIL_MAX], whole[2 * PROCESS_RECORD_MAX];
	struct err err;

	if (process_record_decode(&first, text, len, &err) != 0)
		return;
	char *head = process_record_head(&first);
	size_t tail_len = process_record_tail(tail, first.pid, first.started);
	must(tail_len < sizeof tail);
	int all = snprintf(whole, sizeof whole, "%s%.*s", head, (int)tail_len, tail);
	free(head);
	must(all > 0 && (size_t)all < sizeof whole);
	must(process_record_decode(&second, whole, (size_t)all, &err) == 0);
	must(memcmp(&first, &second, sizeof first) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t started;
	bool alive;

	must_be_stable((const char *)data, size);
	process_stat_decode((const char *)data, size, &started, &alive);
	return 0;
}
