/* Property: how the bytes of a probe's answer were cut into reads changes neither
 * the decision, nor its reason, nor the numbers; and once it is made, it stays. */
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "health/probe_answer.h"

/* What the caller of probe_answer.h can see. */
struct seen {
	enum probe_decision before_end, after_end;
	char     reason[PROBE_REASON_MAX];
	uint64_t errors, total;
};

static struct probe_answer answer;

static struct seen read_in_pieces(const struct model_check *check, const char *at,
				  size_t len, size_t piece)
{
	struct seen seen = {0};
	enum probe_decision last = PROBE_UNDECIDED;

	probe_answer_init(&answer, check);
	for (size_t done = 0; done < len; done += piece) {
		enum probe_decision now = probe_answer_feed(
			&answer, at + done, len - done < piece ? len - done : piece);
		must(last == PROBE_UNDECIDED || now == last);
		last = now;
	}
	seen.before_end = last;
	seen.after_end = probe_answer_end(&answer);
	must(seen.after_end != PROBE_UNDECIDED);
	must(last == PROBE_UNDECIDED || seen.after_end == last);
	memcpy(seen.reason, answer.reason, strlen(answer.reason));
	if (seen.after_end == PROBE_GOOD) {
		seen.errors = answer.load_errors;
		seen.total = answer.load_total;
	}
	return seen;
}

static void must_be_equal(const struct seen *a, const struct seen *b)
{
	must(a->before_end == b->before_end && a->after_end == b->after_end);
	must(strcmp(a->reason, b->reason) == 0);
	must(a->errors == b->errors && a->total == b->total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct model_check checks[] = {
		{.kind = CHECK_HTTP, .expect = EXPECT_LOAD},
		{.kind = CHECK_HTTP, .expect = EXPECT_STATUS, .status_min = 200,
		 .status_max = 399},
	};
	static const size_t pieces[] = {1, 7, 64, 4096};
	const char *at = (const char *)data;

	for (size_t c = 0; c < COUNT_OF(checks); c++) {
		struct seen whole = read_in_pieces(&checks[c], at, size, size + 1);
		for (size_t p = 0; p < COUNT_OF(pieces); p++) {
			struct seen cut = read_in_pieces(&checks[c], at, size, pieces[p]);
			must_be_equal(&whole, &cut);
		}
	}
	return 0;
}
