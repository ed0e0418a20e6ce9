/* client/load_report.h - the figures of a load: counted while it runs, shown as
 * progress, and printed at its end for people or as JSON.
 *
 * Pure but for the files that are printed to.
 */
#ifndef CLIENT_LOAD_REPORT_H
#define CLIENT_LOAD_REPORT_H

#include <stdio.h>

#include "base/histogram.h"
#include "client/load_plan.h"
#include "client/options.h"
#include "client/talk.h"

enum load_kind { LOAD_PUT, LOAD_GET, LOAD_KINDS };

struct load_figures {
	uint64_t asked, answered, unanswered;
	uint64_t missing;			/* gets of keys that were not there */
	uint64_t recognised;			/* values read and found right */
	uint64_t verdicts[LOAD_VERDICTS];	/* of reads that were judged */
	uint64_t errors[KV_RESULTS];		/* answers that are errors */
	uint64_t lost[TALK_LOSSES];		/* connections, and tries to connect */
	uint64_t connected, reconnected;
	uint64_t begun_us, ended_us;
	uint8_t  version;			/* of the protocol */
	struct histogram took_us[LOAD_KINDS];	/* of good answers */
};

/* How many reads were wrong, and answers errors. */
uint64_t load_figures_wrong(const struct load_figures *f);
uint64_t load_figures_errors(const struct load_figures *f);

/* What is shown while it runs. */
struct load_progress {
	bool     terminal;		/* one line, written over and over */
	bool     shown;			/* there is such a line */
	uint64_t before_us, before_answered;
};

/* A line about what has happened since the last one. */
void load_progress_show(struct load_progress *p, const struct load_figures *f,
			uint64_t now_us, const struct options *o, FILE *out);

/* Takes the line off the terminal, so that something else may be printed. */
void load_progress_clear(struct load_progress *p, FILE *out);

/* All of them, for people, and as one line of JSON. The run is over. */
void load_report_print(const struct load_figures *f, const struct options *o, FILE *out);
void load_report_print_json(const struct load_figures *f, const struct options *o,
			    FILE *out);

#endif
