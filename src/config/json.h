/* config/json.h - the exact twin of a configuration in JSON.
 *
 *   listen http :80 { to web }     [{"words": ["listen", "http", ":80"],
 *                                    "block": [{"words": ["to", "web"]}]}]
 *
 * Words without their quotes and escapes, and no comments; what they mean does not matter
 * here. There and back gives the same words in the same blocks.
 */
#ifndef CONFIG_JSON_H
#define CONFIG_JSON_H

#include <jansson.h>

#include "base/err.h"
#include "config/report.h"

/* The statements of a text, owned by the caller. NULL: it is none, and the report, which
 * borrows name, says why. */
json_t *config_json_of_text(const char *text, size_t len, const char *name,
			    struct config_report *report);

/* The text of such statements, owned by the caller. Each stands in the line of its
 * number, counted from 1 in the order of reading, so that a report on the text names the
 * statements. NULL and *err: it is something else. */
char *config_text_of_json(const json_t *statements, struct err *err);

#endif
