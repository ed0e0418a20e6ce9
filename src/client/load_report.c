#include "client/load_report.h"

#include "base/must.h"

static const struct {
	const char *name, *json;
	double fraction;
} quantiles[] = {
	{"p50", "p50_us", 0.5}, {"p90", "p90_us", 0.9}, {"p99", "p99_us", 0.99},
	{"p99.9", "p999_us", 0.999},
};

static const char *const kind_names[LOAD_KINDS] = {
	[LOAD_PUT] = "put", [LOAD_GET] = "get",
};

static unsigned long long number(uint64_t n)
{
	return n;
}

uint64_t load_figures_wrong(const struct load_figures *f)
{
	uint64_t sum = 0;

	for (int i = LOAD_RIGHT + 1; i < LOAD_VERDICTS; i++)
		sum += f->verdicts[i];
	return sum;
}

uint64_t load_figures_errors(const struct load_figures *f)
{
	uint64_t sum = 0;

	for (int i = 0; i < KV_RESULTS; i++)
		sum += f->errors[i];
	return sum;
}

static double per_second(uint64_t count, uint64_t us)
{
	return us > 0 ? (double)count * 1e6 / (double)us : 0;
}

/* ---- progress ---- */

void load_progress_clear(struct load_progress *p, FILE *out)
{
	if (p->shown)
		fputs("\r\033[K", out);
	p->shown = false;
	fflush(out);
}

/* How much of it is done, by whichever limit is nearer; below 0: there is none. */
static double share_done(const struct load_figures *f, uint64_t now_us,
			 const struct options *o)
{
	double by_count = o->count > 0 ? (double)f->asked / (double)o->count : -1;
	double by_time = o->time_ms > 0 ? (double)(now_us - f->begun_us) /
					  ((double)o->time_ms * 1e3) : -1;
	double share = by_count > by_time ? by_count : by_time;

	return share < 1 ? share : 1;
}

void load_progress_show(struct load_progress *p, const struct load_figures *f,
			uint64_t now_us, const struct options *o, FILE *out)
{
	double share = share_done(f, now_us, o);

	fprintf(out, "%s%5.1f s", p->terminal ? "\r" : "",
		(double)(now_us - f->begun_us) / 1e6);
	if (share >= 0)
		fprintf(out, "  %3.0f %%", share * 100);
	fprintf(out, "  %llu operations  %.0f/s", number(f->answered),
		per_second(f->answered - p->before_answered, now_us - p->before_us));
	if (load_figures_errors(f) > 0)
		fprintf(out, "  errors %llu", number(load_figures_errors(f)));
	if (f->unanswered > 0)
		fprintf(out, "  lost %llu", number(f->unanswered));
	if (load_figures_wrong(f) > 0)
		fprintf(out, "  WRONG %llu", number(load_figures_wrong(f)));
	fputs(p->terminal ? "\033[K" : "\n", out);
	fflush(out);
	p->shown = p->terminal;
	p->before_us = now_us;
	p->before_answered = f->answered;
}

/* ---- for people ---- */

static void print_time(FILE *out, uint64_t us)
{
	char text[32];

	if (us < 10 * 1000)
		snprintf(text, sizeof text, "%llu us", number(us));
	else if (us < 10 * 1000 * 1000)
		snprintf(text, sizeof text, "%.1f ms", (double)us / 1e3);
	else
		snprintf(text, sizeof text, "%.1f s", (double)us / 1e6);
	fprintf(out, "%11s", text);
}

static void print_times(const struct load_figures *f, FILE *out)
{
	fprintf(out, "%-12s%11s", "", "answers");
	for (size_t i = 0; i < COUNT_OF(quantiles); i++)
		fprintf(out, "%11s", quantiles[i].name);
	fprintf(out, "%11s\n", "max");
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		const struct histogram *h = &f->took_us[kind];
		if (h->total == 0)
			continue;
		fprintf(out, "%-12s%11llu", kind_names[kind], number(h->total));
		for (size_t i = 0; i < COUNT_OF(quantiles); i++)
			print_time(out, histogram_quantile(h, quantiles[i].fraction));
		print_time(out, h->max);
		fputc('\n', out);
	}
}

static void print_verdicts(const struct load_figures *f, const struct options *o,
			   FILE *out)
{
	if (o->verify == VERIFY_NOTHING)
		return;
	fprintf(out, "verified    %llu values right, %llu wrong\n", number(f->recognised),
		number(load_figures_wrong(f)));
	for (int i = LOAD_RIGHT + 1; i < LOAD_VERDICTS; i++)
		if (f->verdicts[i] > 0)
			fprintf(out, "  %-9s %llu\n", load_verdict_name(i),
				number(f->verdicts[i]));
}

void load_report_print(const struct load_figures *f, const struct options *o, FILE *out)
{
	uint64_t us = f->ended_us - f->begun_us;

	fprintf(out, "operations  %llu in %.2f s, %.0f/s  (%llu connections, "
		"pipeline %llu, version %u)\n", number(f->answered), (double)us / 1e6,
		per_second(f->answered, us), number(o->connections), number(o->pipeline),
		f->version);
	print_times(f, out);
	if (f->missing > 0)
		fprintf(out, "missing     %llu gets found no value\n",
			number(f->missing));
	print_verdicts(f, o, out);
	fprintf(out, "errors      %llu\n", number(load_figures_errors(f)));
	for (uint8_t i = 0; i < KV_RESULTS; i++)
		if (f->errors[i] > 0)
			fprintf(out, "  %-24s %llu\n", kv_wire_result_text(i),
				number(f->errors[i]));
	fprintf(out, "lost        %llu requests without an answer, %llu reconnections\n",
		number(f->unanswered), number(f->reconnected));
	for (int i = 0; i < TALK_LOSSES; i++)
		if (f->lost[i] > 0)
			fprintf(out, "  %-24s %llu\n", talk_loss_name(i),
				number(f->lost[i]));
}

/* ---- for programs ---- */

static void json_times(const struct load_figures *f, FILE *out)
{
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		const struct histogram *h = &f->took_us[kind];
		fprintf(out, ",\"%s\":{\"answers\":%llu", kind_names[kind],
			number(h->total));
		for (size_t i = 0; i < COUNT_OF(quantiles); i++)
			fprintf(out, ",\"%s\":%llu", quantiles[i].json,
				number(histogram_quantile(h, quantiles[i].fraction)));
		fprintf(out, ",\"max_us\":%llu}", number(h->max));
	}
}

/* Those that are not 0, by name. */
static void json_counts(const uint64_t *counts, int first, int end,
			const char *(*name_of)(int i), FILE *out)
{
	const char *comma = "";

	fputc('{', out);
	for (int i = first; i < end; i++) {
		if (counts[i] == 0)
			continue;
		fprintf(out, "%s\"%s\":%llu", comma, name_of(i), number(counts[i]));
		comma = ",";
	}
	fputc('}', out);
}

static const char *error_name(int i)
{
	return kv_wire_result_text((uint8_t)i);
}

static const char *loss_name(int i)
{
	return talk_loss_name((enum talk_loss)i);
}

static const char *verdict_name(int i)
{
	return load_verdict_name((enum load_verdict)i);
}

void load_report_print_json(const struct load_figures *f, const struct options *o,
			    FILE *out)
{
	uint64_t us = f->ended_us - f->begun_us;

	fprintf(out, "{\"version\":%u,\"connections\":%llu,\"pipeline\":%llu,"
		"\"seconds\":%.6f,\"operations\":%llu,\"per_second\":%.1f,"
		"\"missing\":%llu,\"unanswered\":%llu,\"reconnected\":%llu,"
		"\"right\":%llu,\"wrong\":%llu", f->version, number(o->connections),
		number(o->pipeline), (double)us / 1e6, number(f->answered),
		per_second(f->answered, us),
		number(f->missing), number(f->unanswered), number(f->reconnected),
		number(f->recognised), number(load_figures_wrong(f)));
	json_times(f, out);
	fputs(",\"errors\":", out);
	json_counts(f->errors, 0, KV_RESULTS, error_name, out);
	fputs(",\"lost\":", out);
	json_counts(f->lost, 0, TALK_LOSSES, loss_name, out);
	fputs(",\"verdicts\":", out);
	json_counts(f->verdicts, LOAD_RIGHT + 1, LOAD_VERDICTS, verdict_name, out);
	fputs("}\n", out);
}
