/* Lines of kv-client: words lie in the line, one behind the other, and together are no
 * longer than it was; any bytes that are printed are plain, and give the bytes back. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "client/words.h"
#include "fuzz.h"

static void check_words(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);
	struct words w;
	struct err err = {""};

	must(line != NULL);
	memcpy(line, data, size);
	if (words_read(line, size, &w, &err) != 0) {
		must(strncmp(err.text, "column ", 7) == 0);
	} else {
		const char *end = line;
		must(w.count <= WORDS_MAX);
		for (uint32_t i = 0; i < w.count; i++) {
			must(w.at[i].at >= end);
			end = w.at[i].at + w.at[i].len;
		}
		must(end <= line + size);
	}
	free(line);
}

static void check_printed(const uint8_t *data, size_t size)
{
	struct span bytes = {(const char *)data, size};
	char *text = NULL;
	size_t len;
	struct err err;
	FILE *out = open_memstream(&text, &len);

	must(out != NULL);
	words_print(out, bytes);
	must(fclose(out) == 0);
	for (size_t i = 0; i < len; i++)
		must((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
	must(words_are_plain(bytes) == span_equals(bytes, (struct span){text, len}));
	must(words_unescape(text, &len, &err) == 0);
	must(span_equals(bytes, (struct span){text, len}));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_words(data, size);
	check_printed(data, size);
	return 0;
}
