#include "client/load_history.h"

#include <errno.h>

#include "base/text.h"

FILE *load_history_open(const char *path, struct err *err)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		err_sys(err, "cannot write the history to %s", quote(path).text);
	return file;
}

/* A number, or null in place of 0. */
static void write_number(FILE *file, const char *name, uint64_t number)
{
	if (number == 0)
		fprintf(file, ",\"%s\":null", name);
	else
		fprintf(file, ",\"%s\":%llu", name, (unsigned long long)number);
}

void load_history_write(FILE *file, struct span key, const struct load_operation *o,
			const struct load_event *e)
{
	fprintf(file, "{\"op\":\"%s\",\"connection\":%llu,\"key\":\"%.*s\"",
		o->step.writes ? "put" : "get", (unsigned long long)e->connection,
		(int)key.len, key.at);
	write_number(file, "value", e->id);
	fprintf(file, ",\"invoke_us\":%llu", (unsigned long long)o->begun_us);
	write_number(file, "complete_us", e->done_us);
	write_number(file, "version", e->version);
	fprintf(file, ",\"result\":\"%s\"}\n", e->result);
}

int load_history_close(FILE *file, const char *path, struct err *err)
{
	bool failed = ferror(file) != 0;

	errno = failed ? EIO : 0;
	if (fclose(file) != 0 || failed)
		return err_sys(err, "the history in %s is not complete",
			       quote(path).text);
	return 0;
}
