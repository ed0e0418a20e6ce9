#include "ctl/lines.h"

void lines_print(const struct paper *paper, const json_t *lines)
{
	const json_t *one;
	size_t i;

	json_array_foreach(lines, i, one) {
		const char *text = json_string_value(one);
		if (text == NULL)
			continue;
		const char *style = *text == '+' ? paper_style(paper, STYLE_GOOD) :
				    *text == '-' ? paper_style(paper, STYLE_BAD) : "";
		const char *plain = *style != '\0' ? paper_style(paper, STYLE_PLAIN) : "";
		printf("%s%s%s\n", style, text, plain);
	}
}
