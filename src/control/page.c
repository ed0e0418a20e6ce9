/* control/page.c - GET / and GET /page/NAME: the files of the page. They hold nothing
 * secret and change nothing, so they need no token: what the page then asks does.
 */
#include <string.h>

#include "base/hash.h"
#include "control/ask.h"
#include "control/etag.h"
#include "control/pages.h"

/* Nothing from elsewhere, and no other page around it. */
static const char fields[] =
	"Content-Security-Policy: default-src 'self'; base-uri 'none'; "
	"form-action 'self'; frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n";

static const char missing[] =
	"This balancerd was built without its page. To have it, install Node.js with npm, "
	"and build\nagain: tools/install-deps page, then make. Everything else is there: "
	"balancerctl shows and\nsteers the same, and so does /v1 (doc/control.md).\n";

static const struct page_file *find(const char *name)
{
	for (uint32_t i = 0; i < page_file_count; i++)
		if (strcmp(page_files[i].name, name) == 0)
			return &page_files[i];
	return NULL;
}

static void reply_missing(struct reply *r)
{
	if (page_file_count > 0) {
		reply_error(r, REPLY_PATH_UNKNOWN, NULL, "the page has no such file");
		return;
	}
	reply_fixed(r, 404, "text/plain; charset=utf-8", missing, sizeof missing - 1);
	r->fields = fields;
}

static void reply_file(const struct ask *ask, const struct page_file *file,
		       struct reply *r)
{
	uint64_t tag = hash_bytes(file->bytes, file->len);
	bool has_it = etag_is_among(ask_field(ask, "If-None-Match"), tag);

	reply_fixed(r, has_it ? 304 : 200, file->type, file->bytes,
		    has_it ? 0 : file->len);
	r->fields = fields;
	r->tag = tag;
}

void page_get(const struct ask *ask, struct reply *r)
{
	const struct page_file *file = find(*ask->name != '\0' ? ask->name : PAGE_FIRST);

	if (file != NULL)
		reply_file(ask, file, r);
	else
		reply_missing(r);
}
