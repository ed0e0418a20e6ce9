/* observe/metrics.c - the families: one table for each kind of thing, and how the samples
 * of a family are written.
 */
#include "observe/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/must.h"
#include "model/model.h"
#include "observe/metrics_rows.h"

enum { LABELS_MAX = ROW_LABELS_MAX + 256 };

struct family {
	const char *name;
	enum family_type type;
	const char *help;
	void (*write)(struct exposition *e, const struct family *f, const struct row *row);
	size_t offset;			/* for writers of one field */
	const char *label;		/* value of a further label, of one of several parts */
	bool   metered_only;
	bool   goes_on;			/* more samples of the family above */
};

/* ---- writers ---- */

static struct exposition_labels with(const struct row *row, const char *name,
				     const char *value)
{
	return (struct exposition_labels){row->labels, value != NULL ? name : NULL, value};
}

static struct exposition_labels just(const char *labels)
{
	return (struct exposition_labels){.fixed = labels};
}

/* uint64_t of the row. */
static void write_own(struct exposition *e, const struct family *f, const struct row *row)
{
	const uint64_t *value = (const void *)((const char *)row + f->offset);

	exposition_number(e, "", just(row->labels), *value);
}

/* uint32_t of the row. */
static void write_own_32(struct exposition *e, const struct family *f, const struct row *row)
{
	const uint32_t *value = (const void *)((const char *)row + f->offset);

	exposition_number(e, "", with(row, "state", f->label), *value);
}

static void write_drain(struct exposition *e, const struct family *f, const struct row *row)
{
	(void)f;
	exposition_number(e, "", just(row->labels), row->drain);
}

/* Of pools that find servers by name. */
static void write_look_ups(struct exposition *e, const struct family *f, const struct row *row)
{
	(void)f;
	if (row->srv_count == 0)
		return;
	exposition_number(e, "", with(row, "result", "good"), row->srv_answers);
	exposition_number(e, "", with(row, "result", "failed"), row->srv_failures);
}

static void write_left_out(struct exposition *e, const struct family *f, const struct row *row)
{
	(void)f;
	if (row->srv_count > 0)
		exposition_number(e, "", just(row->labels), row->srv_left_out);
}

/* atomic_ullong of the live part, as a whole family or as its part of a kind. */
static void write_count(struct exposition *e, const struct family *f, const struct row *row)
{
	const atomic_ullong *count = (const void *)((const char *)row->live + f->offset);

	exposition_number(e, "", with(row, "kind", f->label),
			  atomic_load_explicit(count, memory_order_relaxed));
}

/* atomic_uint of the live part. */
static void write_amount(struct exposition *e, const struct family *f, const struct row *row)
{
	const atomic_uint *amount = (const void *)((const char *)row->live + f->offset);

	exposition_number(e, "", just(row->labels),
			  atomic_load_explicit(amount, memory_order_relaxed));
}

static void write_up(struct exposition *e, const struct family *f, const struct row *row)
{
	const struct live_server *s = row->live;

	(void)f;
	exposition_number(e, "", just(row->labels),
			  atomic_load_explicit(&s->up, memory_order_relaxed));
}

/* Why it is down; a server that is up has no sample. */
static void write_reason(struct exposition *e, const struct family *f, const struct row *row)
{
	const struct live_server *s = row->live;
	char labels[LABELS_MAX];

	(void)f;
	if (atomic_load_explicit(&s->up, memory_order_relaxed))
		return;
	snprintf(labels, sizeof labels, "%s", row->labels);
	exposition_label(labels, sizeof labels, "reason", s->reason);
	exposition_number(e, "", just(labels), 1);
}

static void write_classes(struct exposition *e, const struct family *f,
			  const struct row *row)
{
	static const char *const classes[METER_CLASSES] = {
		"none", "1xx", "2xx", "3xx", "4xx", "5xx",
	};

	(void)f;
	for (int i = 0; i < METER_CLASSES; i++)
		exposition_number(e, "", with(row, "class", classes[i]),
				  row->responses[i]);
}

static void write_failures(struct exposition *e, const struct family *f,
			   const struct row *row)
{
	static const char *const kinds[FAILURES] = {
		[FAILURE_REFUSED] = "refused", [FAILURE_CONNECT_TIMEOUT] = "connect_timeout",
		[FAILURE_UNREACHABLE] = "unreachable", [FAILURE_RESET] = "reset",
		[FAILURE_RESPONSE_TIMEOUT] = "response_timeout",
		[FAILURE_MALFORMED] = "malformed", [FAILURE_CUT] = "cut",
	};
	const struct live_server *s = row->live;

	(void)f;
	for (int i = FAILURE_NONE + 1; i < FAILURES; i++)
		exposition_number(e, "", with(row, "kind", kinds[i]),
				  atomic_load_explicit(&s->failures[i], memory_order_relaxed));
}

static void write_sums(struct exposition *e, const struct row *row)
{
	exposition_seconds(e, "_sum", just(row->labels), row->total_us);
	exposition_number(e, "_count", just(row->labels), row->count);
}

static void write_buckets(struct exposition *e, const struct family *f,
			  const struct row *row)
{
	(void)f;
	for (int i = 0; i < ROW_BUCKETS; i++)
		exposition_number(e, "_bucket", with(row, "le", row_buckets[i].text),
				  row->buckets[i]);
	exposition_number(e, "_bucket", with(row, "le", "+Inf"), row->count);
	write_sums(e, row);
}

static void write_quantiles(struct exposition *e, const struct family *f,
			    const struct row *row)
{
	(void)f;
	for (int i = 0; row->count > 0 && i < HISTOGRAM_TOLD; i++)
		exposition_seconds(e, "", with(row, "quantile", row_quantiles[i]),
				   row->quantiles_us[i]);
	write_sums(e, row);
}

/* ---- the tables ---- */

#define OWN(member)            .offset = offsetof(struct row, member)
#define OF(type, member)       .offset = offsetof(struct live_##type, member)
#define PART(type, member, is) {.write = write_count, OF(type, member), .label = is,     \
				.goes_on = true}
#define TIMES(thing, of)                                                                 \
	{thing "_duration_seconds", FAMILY_HISTOGRAM, of, write_buckets,                 \
	 .metered_only = true},                                                          \
	{thing "_duration_quantile_seconds", FAMILY_SUMMARY,                               \
	 "The same, since the start, as quantiles within 1 %.", write_quantiles,         \
	 .metered_only = true}
#define BODIES(thing)                                                                    \
	{thing "_received_bytes", FAMILY_COUNTER, "Bytes of bodies from clients.",       \
	 write_own, OWN(bytes_in), .metered_only = true},                                \
	{thing "_sent_bytes", FAMILY_COUNTER, "Bytes of bodies to clients.", write_own,  \
	 OWN(bytes_out), .metered_only = true}

static const struct family of_listeners[] = {
	{"balancerd_listener_connections", FAMILY_GAUGE, "Client connections at present.",
	 write_amount, OF(listener, connections.inside)},
	{"balancerd_listener_accepted", FAMILY_COUNTER, "Client connections so far.",
	 write_count, OF(listener, accepted)},
	{"balancerd_listener_requests", FAMILY_COUNTER,
	 "Requests so far; TCP: sessions.", write_count, OF(listener, requests)},
	{"balancerd_listener_responses", FAMILY_COUNTER,
	 "Answers so far, by the class of their status; none: the client was told nothing.",
	 write_classes, .metered_only = true},
	{"balancerd_listener_errors", FAMILY_COUNTER, "What went wrong with clients.",
	 write_count, OF(listener, bad_requests), .label = "bad_request"},
	PART(listener, timeouts, "timeout"),
	PART(listener, client_gone, "client_gone"),
	PART(listener, cut, "cut"),
	PART(listener, queue_full, "queue_full"),
	PART(listener, accept_paused, "accept_paused"),
	PART(listener, proxy_refused, "proxy_refused"),
	PART(listener, flows_full, "flows_full"),
	PART(listener, datagrams_dropped, "datagram_dropped"),
	{"balancerd_listener_waiting", FAMILY_GAUGE,
	 "Requests that wait behind the listener's limit.", write_amount,
	 OF(listener, waiting)},
	{"balancerd_listener_flows", FAMILY_GAUGE, "UDP flows at present.", write_amount,
	 OF(listener, flows)},
	BODIES("balancerd_listener"),
	TIMES("balancerd_listener_request",
	      "From the first byte of a request to the last of its answer."),
};

static const struct family of_pools[] = {
	{"balancerd_pool_servers", FAMILY_GAUGE, "Servers by state.", write_own_32,
	 OWN(servers_up), .label = "up"},
	{.write = write_own_32, OWN(servers_down), .label = "down", .goes_on = true},
	{.write = write_own_32, OWN(servers_draining), .label = "draining", .goes_on = true},
	{"balancerd_pool_responses", FAMILY_COUNTER,
	 "Answers so far, by the class of their status.", write_classes, .metered_only = true},
	{"balancerd_pool_retries", FAMILY_COUNTER, "Requests sent to a further server.",
	 write_count, OF(pool, retries)},
	{"balancerd_pool_errors", FAMILY_COUNTER, "What kept requests from a server.",
	 write_count, OF(pool, no_server_up), .label = "no_server_up"},
	PART(pool, retries_over_budget, "retries_over_budget"),
	PART(pool, queue_full, "queue_full"),
	PART(pool, queue_timeouts, "queue_timeout"),
	{"balancerd_pool_queued", FAMILY_COUNTER, "Requests that had to wait for a server.",
	 write_count, OF(pool, queued)},
	{"balancerd_pool_waiting", FAMILY_GAUGE, "Requests that wait at present.",
	 write_amount, OF(pool, waiting)},
	{"balancerd_pool_srv_lookups", FAMILY_COUNTER,
	 "Look-ups of SRV records that lead to servers.", .write = write_look_ups},
	{"balancerd_pool_srv_left_out", FAMILY_GAUGE,
	 "Servers that SRV records lead to, beyond those that are used.",
	 .write = write_left_out},
	{"balancerd_pool_stream_received_bytes", FAMILY_COUNTER,
	 "TCP, UDP: bytes to servers.", write_count, OF(pool, bytes_up)},
	{"balancerd_pool_stream_sent_bytes", FAMILY_COUNTER, "TCP, UDP: bytes to clients.",
	 write_count, OF(pool, bytes_down)},
	{"balancerd_pool_moved", FAMILY_COUNTER,
	 "TCP: clients whose server left, and what became of them.", write_count,
	 OF(pool, moved_replayed), .label = "replayed"},
	PART(pool, moved_idle, "idle"),
	PART(pool, not_moved, "closed"),
	BODIES("balancerd_pool"),
	TIMES("balancerd_pool_request",
	      "From the first byte of a request to the last of its answer."),
};

static const struct family of_servers[] = {
	{"balancerd_server_up", FAMILY_GAUGE, "1: it may get requests.",
	 .write = write_up},
	{"balancerd_server_down_info", FAMILY_GAUGE, "Why a server is down.",
	 .write = write_reason},
	{"balancerd_server_draining", FAMILY_GAUGE, "1: it gets nothing new.",
	 .write = write_drain},
	{"balancerd_server_weight", FAMILY_GAUGE, "Its share beside the others.",
	 write_own_32, OWN(weight)},
	{"balancerd_server_in_flight", FAMILY_GAUGE, "Requests under way, or sessions.",
	 write_amount, OF(server, in_flight)},
	{"balancerd_server_requests", FAMILY_COUNTER, "Requests that it was given.",
	 write_count, OF(server, requests)},
	{"balancerd_server_responses", FAMILY_COUNTER,
	 "Answers that began with its own, by the class of their status.", write_classes,
	 .metered_only = true},
	{"balancerd_server_retried_away", FAMILY_COUNTER,
	 "Requests that another had to be asked for.", write_count, OF(server, retried_away)},
	{"balancerd_server_failures", FAMILY_COUNTER, "Why it could not be used.",
	 .write = write_failures},
	BODIES("balancerd_server"),
	TIMES("balancerd_server_response",
	      "From the choice of the server to the head of its answer."),
};

static void write_families(struct exposition *e, const struct family *families,
			   size_t count, struct rows rows)
{
	for (size_t i = 0; i < count; i++) {
		const struct family *f = &families[i];
		if (!f->goes_on)
			exposition_family(e, f->name, f->type, f->help);
		for (uint32_t k = 0; k < rows.count; k++)
			if (!f->metered_only || rows.all[k].is_metered)
				f->write(e, f, &rows.all[k]);
	}
	rows_fini(&rows);
}

/* ---- the process ---- */

static void write_one(struct exposition *e, const char *name, enum family_type type,
		      const char *help, uint64_t value)
{
	exposition_family(e, name, type, help);
	exposition_number(e, "", just(""), value);
}

static uint64_t microseconds(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

/* Pages, from a file that is there at once; 0 where there is none. */
static uint64_t resident_bytes(void)
{
	unsigned long long size, resident;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_process(struct exposition *e, const struct metrics_source *s)
{
	const struct live *live = s->live;
	char labels[128] = "";
	struct rusage used;

	exposition_label(labels, sizeof labels, "version", s->version);
	exposition_family(e, "balancerd_build_info", FAMILY_GAUGE, "What runs.");
	exposition_number(e, "", just(labels), 1);
	write_one(e, "balancerd_uptime_seconds", FAMILY_GAUGE, "Since the start.", s->uptime_s);
	write_one(e, "balancerd_threads", FAMILY_GAUGE, "Loops of the data path.", s->threads);
	write_one(e, "balancerd_heap_bytes", FAMILY_GAUGE, "Memory in use.", s->heap_bytes);
	write_one(e, "process_resident_memory_bytes", FAMILY_GAUGE, "Memory at hand.",
		  resident_bytes());
	if (getrusage(RUSAGE_SELF, &used) == 0) {
		exposition_family(e, "process_cpu_seconds", FAMILY_COUNTER,
				  "Of all threads.");
		exposition_seconds(e, "", just(""),
				   microseconds(used.ru_utime) + microseconds(used.ru_stime));
	}
	write_one(e, "balancerd_connections", FAMILY_GAUGE, "Client connections at present.",
		  atomic_load_explicit(&live->connections.inside, memory_order_relaxed));
	write_one(e, "balancerd_connections_max", FAMILY_GAUGE, "As many there may be.",
		  atomic_load_explicit(&live->connections_max, memory_order_relaxed));
}

static void write_shortages(struct exposition *e, const struct live *live)
{
	const struct {
		const char *kind;
		const atomic_ullong *count;
	} shortages[] = {
		{"connections", &live->connections.turned_away},
		{"accept_descriptors", &live->accept_out_of_descriptors},
		{"dial_descriptors", &live->dials_out_of_descriptors},
		{"pipes", &live->pipes_none_left},
		{"memory", &live->memory_refused},
	};

	exposition_family(e, "balancerd_shortages", FAMILY_COUNTER,
			  "Times that something of our own ran out.");
	for (size_t i = 0; i < COUNT_OF(shortages); i++) {
		char labels[64] = "";
		exposition_label(labels, sizeof labels, "kind", shortages[i].kind);
		exposition_number(e, "", just(labels), atomic_load_explicit(shortages[i].count,
								      memory_order_relaxed));
	}
}

static void write_logs(struct exposition *e, const struct metrics_source *s)
{
	const struct {
		const char *reason;
		uint64_t    count;
	} losses[] = {
		{"repeated", s->log.repeated}, {"many", s->log.many}, {"full", s->log.full},
	};

	write_one(e, "balancerd_access_log_dropped", FAMILY_COUNTER,
		  "Requests that are not in the access log, since it was too slow.",
		  s->access_log_dropped);
	exposition_family(e, "balancerd_log_left_out", FAMILY_COUNTER,
			  "Lines that are not in the log: the same too often, too many in a "
			  "second, or its place (a socket, a disk, a pipe) took no more.");
	for (size_t i = 0; i < COUNT_OF(losses); i++) {
		char labels[64] = "";
		exposition_label(labels, sizeof labels, "reason", losses[i].reason);
		exposition_number(e, "", just(labels), losses[i].count);
	}
}

char *metrics_print(const struct metrics_source *source, enum exposition_format format,
		    size_t *len)
{
	struct exposition e;

	exposition_init(&e, format);
	write_process(&e, source);
	write_shortages(&e, source->live);
	write_logs(&e, source);
	write_families(&e, of_listeners, COUNT_OF(of_listeners),
		       rows_of_listeners(source->model));
	write_families(&e, of_pools, COUNT_OF(of_pools), rows_of_pools(source->model));
	write_families(&e, of_servers, COUNT_OF(of_servers), rows_of_servers(source->model));
	return exposition_end(&e, len);
}
