#include "client/commands.h"

#include <string.h>

#include "base/expected.h"
#include "base/must.h"
#include "base/text.h"
#include "base/value.h"

static const struct value_range times = {VALUE_TIME, 1, UINT64_C(100) * 365 * 86400000};

static bool is_word(struct span word, const char *text)
{
	return span_equals(word, span_of(text));
}

static int read_time(struct span word, struct request *r, struct err *err)
{
	r->flags |= KV_RELATIVE_EXPIRY;
	return value_read(&times, words_text(word).text, &r->expires_ms, err);
}

static int set_condition(struct request *r, uint8_t flag, struct err *err)
{
	if ((r->flags & (KV_IF_ABSENT | KV_IF_PRESENT) & ~flag) != 0)
		return err_set(err, "if-absent and if-present exclude each other");
	r->flags |= flag;
	return 0;
}

static int build_put(const struct words *w, struct request *r, struct err *err)
{
	r->value = w->at[2];
	for (uint32_t i = 3; i < w->count; i++) {
		struct span word = w->at[i];
		int result;
		if (is_word(word, "ttl") && i + 1 < w->count)
			result = read_time(w->at[++i], r, err);
		else if (is_word(word, "ttl"))
			result = err_set(err, "ttl needs a time, such as 30s");
		else if (is_word(word, "if-absent"))
			result = set_condition(r, KV_IF_ABSENT, err);
		else if (is_word(word, "if-present"))
			result = set_condition(r, KV_IF_PRESENT, err);
		else
			result = err_set(err, "%s behind the value; expected ttl TIME, "
					 "if-absent or if-present; a value with blanks "
					 "needs quotes",
					 quote(words_text(word).text).text);
		if (result != 0)
			return -1;
	}
	return 0;
}

static int build_expire(const struct words *w, struct request *r, struct err *err)
{
	return read_time(w->at[2], r, err);
}

static int build_stats(const struct words *w, struct request *r, struct err *err)
{
	uint64_t id;

	(void)r;	/* the key is all there is */
	if (w->count == 1)
		return 0;
	if (!span_to_u64(w->at[1], &id) || id > UINT32_MAX)
		return err_set(err, "%s is no worker's id, which is a number",
			       quote(words_text(w->at[1]).text).text);
	return 0;
}

const struct command kv_command_table[] = {
	{"put", "KEY VALUE [ttl TIME] [if-absent|if-present]", 2, 5, KV_VERB_SET, false,
	 "write a value, for a time, or only if the key is absent or there", build_put},
	{"get", "KEY", 1, 1, KV_VERB_GET, false, "read a value", NULL},
	{"del", "KEY", 1, 1, KV_VERB_DELETE, false, "delete a key", NULL},
	{"expire", "KEY TIME", 2, 2, KV_VERB_EXPIRE, false,
	 "let a key end after a time, such as 90s", build_expire},
	{"ttl", "KEY", 1, 1, KV_VERB_HEAD, false,
	 "the time that a key has left, or \"never\" if it does not end", NULL},
	{"count", "", 0, 0, KV_VERB_COUNT, false, "the number of entries", NULL},
	{"stats", "[WORKER-ID]", 0, 1, KV_VERB_STATS, false,
	 "figures of the balancer, or of a worker", build_stats},
	{"help", "", 0, 0, 0, false, "say what can be asked", NULL},
	{"quit", "", 0, 0, 0, true, "end", NULL},
};

const uint32_t kv_command_count = COUNT_OF(kv_command_table);

static const struct command *refuse_name(struct span word, struct err *err)
{
	struct words_text name = words_text(word);
	struct expected e;

	expected_init(&e, name.text);
	for (uint32_t i = 0; i < kv_command_count; i++)
		expected_add(&e, kv_command_table[i].name);
	err_set(err, "unknown command %s; %s", quote(name.text).text,
		expected_text(&e).text);
	return NULL;
}

const struct command *kv_command_find(const struct words *w, struct err *err)
{
	must(w->count > 0);
	for (uint32_t i = 0; i < kv_command_count; i++) {
		const struct command *c = &kv_command_table[i];
		uint32_t behind = w->count - 1;
		if (!is_word(w->at[0], c->name))
			continue;
		if (behind >= c->words_min && behind <= c->words_max)
			return c;
		err_set(err, "too %s words; write: %s%s%s",
			behind < c->words_min ? "few" : "many", c->name,
			*c->arguments != '\0' ? " " : "", c->arguments);
		return NULL;
	}
	return refuse_name(w->at[0], err);
}

int kv_command_build(const struct command *c, const struct words *w, struct request *r,
		     struct err *err)
{
	*r = (struct request){.verb = c->verb};
	r->key = w->count > 1 ? w->at[1] : SPAN("");
	r->value = SPAN("");
	return c->build != NULL ? c->build(w, r, err) : 0;
}

/* Why the answer is not what was asked for. */
static int refuse_answer(const struct request *r, const struct answer *a, struct err *err)
{
	if (a->value.len > 0)
		return err_set(err, "%s: %s", kv_wire_result_text(a->result),
			       words_text(a->value).text);
	if (a->result == KV_NOT_MET && (r->flags & KV_IF_ABSENT))
		return err_set(err, "not written: the key is there already");
	if (a->result == KV_NOT_MET && (r->flags & KV_IF_PRESENT))
		return err_set(err, "not written: there is no such key");
	return err_set(err, "%s", kv_wire_result_text(a->result));
}

/* Text of several lines that comes from elsewhere. */
static void show_lines(struct span text, FILE *out)
{
	struct span line;

	while (span_cut(&text, '\n', &line)) {
		words_print(out, line);
		fputc('\n', out);
	}
}

static void show_time_left(const struct answer *a, uint64_t now_ms, FILE *out)
{
	if (a->expires_ms == 0)
		fputs("never\n", out);
	else
		fprintf(out, "%llums\n", (unsigned long long)
			(a->expires_ms > now_ms ? a->expires_ms - now_ms : 0));
}

int kv_command_show(const struct command *c, const struct request *r,
		    const struct answer *answer, const struct command_style *style,
		    struct err *err)
{
	if (answer->result != KV_FINE)
		return refuse_answer(r, answer, err);
	FILE *out = style->out;
	switch ((enum kv_verb)c->verb) {
	case KV_VERB_GET:
		if (style->raw) {
			fwrite(answer->value.at, 1, answer->value.len, out);
			break;
		}
		words_print(out, answer->value);
		fputc('\n', out);
		break;
	case KV_VERB_HEAD:
		show_time_left(answer, style->now_ms, out);
		break;
	case KV_VERB_COUNT:
	case KV_VERB_STATS:
		show_lines(answer->value, out);
		break;
	case KV_VERB_SET:
	case KV_VERB_DELETE:
	case KV_VERB_EXPIRE:
		fputs("ok\n", out);
		break;
	case KV_VERBS:
		break;
	}
	return 0;
}

void kv_command_print(FILE *out)
{
	for (uint32_t i = 0; i < kv_command_count; i++) {
		const struct command *c = &kv_command_table[i];
		char left[64];
		snprintf(left, sizeof left, "%s %s", c->name, c->arguments);
		if (strlen(left) > 22)
			fprintf(out, "  %s\n  %-22s %s\n", left, "", c->help);
		else
			fprintf(out, "  %-22s %s\n", left, c->help);
	}
	fputs("Blanks in a word need quotes; \\xHH is any byte, \\n a new line, \\\\ a "
	      "backslash.\n", out);
}
