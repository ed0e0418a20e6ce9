#include "config/config.h"

#include <stdlib.h>

#include "base/memory.h"
#include "config/build.h"
#include "config/tree.h"
#include "model/own.h"

struct model *config_read(const char *text, size_t len, const char *name,
			  struct config_report *report)
{
	struct span whole = {text, len};
	struct place file = {0};
	struct tree tree;

	report_init(report, name, whole);
	if (len > CONFIG_FILE_MAX) {
		report_error(report, file, "more than %d bytes; is this a configuration?",
			     CONFIG_FILE_MAX);
		report->text = (struct span){0};
		return NULL;
	}
	struct build b = {.model = model_create(), .report = report};
	tree_init(&tree, whole, report);
	build_model(&b, &tree);
	tree_fini(&tree);
	report->text = (struct span){0};
	if (report->error_count == 0)
		return b.model;
	model_put(b.model);
	return NULL;
}

struct model *config_load(const char *path, struct config_report *report)
{
	struct place whole = {0};
	struct model *m = NULL;

	report_init(report, path, (struct span){0});
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		report_error(report, whole, "cannot open it: %m");
		return NULL;
	}
	/* One byte beyond the limit tells a file that is too large. */
	char *text = memory_new(CONFIG_FILE_MAX + 1, 1);
	size_t len = fread(text, 1, CONFIG_FILE_MAX + 1, file);
	if (ferror(file))
		report_error(report, whole, "cannot read it: %m");
	else
		m = config_read(text, len, path, report);
	free(text);
	fclose(file);
	return m;
}

/* Of the file's own, and of those that pools are to make at least and at most. */
static void count_servers(const struct model *m, uint32_t *min, uint32_t *max)
{
	*min = *max = 0;
	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		*min += p->own != NULL ? p->own->min : p->server_count;
		*max += p->own != NULL ? p->own->max : p->server_count;
	}
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

void config_print_counts(const struct model *m, FILE *out)
{
	uint32_t min, max, srvs = 0;

	count_servers(m, &min, &max);
	fprintf(out, "%u listener%s, %u pool%s, ", m->listener_count,
		plural(m->listener_count), m->pool_count, plural(m->pool_count));
	if (min < max)
		fprintf(out, "%u to ", min);
	fprintf(out, "%u server%s", max, plural(max));
	for (uint32_t i = 0; i < m->pool_count; i++)
		srvs += m->pools[i].srv_count;
	if (srvs > 0)
		fprintf(out, " and those of %u name%s", srvs, plural(srvs));
}

void config_print_summary(const struct model *m, const char *name, FILE *out)
{
	fprintf(out, "%s is good: ", name);
	config_print_counts(m, out);
	fputc('\n', out);
}
