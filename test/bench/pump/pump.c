/* pump.c - loads a proxy from both ends, and says what came through.
 *
 *     pump --proxy PORT --origin PORT [--body BYTES] [--connections N] [--depth N]
 *          [--close] [--plain] [--ask BYTES] [--warm-up MS] [--ms MS]
 *
 * With --plain no HTTP is spoken: so many bytes are a request, so many an answer.
 * Prints `begin` when it is warm and `end` when the time is over, for whoever
 * measures the proxy, then the figures of what was between as one line of JSON.
 * Latencies are in microseconds, from the sending of a burst to the last byte of an
 * answer; failed counts from first to last and includes what is not answered a few
 * seconds after the end.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "pump.h"

enum { EVENTS_MAX = 1024, LAST_ANSWER_MS = 5000 };

/* As a browser asks, in about 370 bytes. */
static const char request_format[] =
	"GET /%u HTTP/1.1\r\n"
	"Host: www.example.com\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
	"Firefox/128.0\r\n"
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
	"Accept-Language: en-US,en;q=0.5\r\n"
	"Accept-Encoding: gzip, deflate, br\r\n"
	"Connection: %s\r\n"
	"Cookie: session=5f2b8c1e9a7d4036; theme=dark\r\n"
	"Upgrade-Insecure-Requests: 1\r\n"
	"\r\n";

static const char answer_format[] =
	"HTTP/1.1 200 OK\r\n"
	"Server: pump\r\n"
	"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
	"Content-Type: text/plain\r\n"
	"Content-Length: %u\r\n"
	"Cache-Control: no-store\r\n"
	"\r\n";

uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void die(const char *format, ...)
{
	va_list arguments;

	fputs("pump: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static unsigned number(const char *name, const char *text)
{
	static const unsigned long largest = 1 << 30;
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || value > largest)
		die("--%s: %s is not a number up to %lu", name, text, largest);
	return (unsigned)value;
}

static void check(const struct plan *plan)
{
	if (plan->connections == 0 || plan->depth == 0)
		die("there is at least one client, and it sends something");
	if (plan->close && plan->depth > 1)
		die("--close: a connection has one request, so --depth is 1");
	if (!plan->plain)
		return;
	if (plan->depth > 1)
		die("--plain: --depth is 1");
	if (plan->ask == 0 || plan->ask > HEAD_MAX)
		die("--ask is from 1 to %d", HEAD_MAX);
	if (plan->close && plan->body > HEAD_MAX)
		die("--plain --close: an answer is one send, --body up to %d", HEAD_MAX);
	if (plan->body == 0 || (plan->body > PART_SIZE && plan->body % PART_SIZE != 0))
		die("--body is up to %d or a multiple of it, with --plain", PART_SIZE);
}

static void read_options(struct plan *plan, int argc, char **argv)
{
	enum {
		PROXY, ORIGIN, BODY, CONNECTIONS, DEPTH, ASK, WARM_UP, MS, NUMBERS,
		CLOSE = NUMBERS, PLAIN,
	};
	static const struct option options[] = {
		[PROXY]       = {"proxy", required_argument, NULL, PROXY},
		[ORIGIN]      = {"origin", required_argument, NULL, ORIGIN},
		[BODY]        = {"body", required_argument, NULL, BODY},
		[CONNECTIONS] = {"connections", required_argument, NULL, CONNECTIONS},
		[DEPTH]       = {"depth", required_argument, NULL, DEPTH},
		[ASK]         = {"ask", required_argument, NULL, ASK},
		[WARM_UP]     = {"warm-up", required_argument, NULL, WARM_UP},
		[MS]          = {"ms", required_argument, NULL, MS},
		[CLOSE]       = {"close", no_argument, NULL, CLOSE},
		[PLAIN]       = {"plain", no_argument, NULL, PLAIN},
		{NULL, 0, NULL, 0},
	};
	unsigned *numbers[NUMBERS] = {
		[PROXY] = &plan->proxy_port, [ORIGIN] = &plan->origin_port,
		[BODY] = &plan->body, [CONNECTIONS] = &plan->connections,
		[DEPTH] = &plan->depth, [ASK] = &plan->ask,
		[WARM_UP] = &plan->warm_up_ms, [MS] = &plan->ms,
	};
	int option;

	*plan = (struct plan){.body = 64, .connections = 64, .depth = 1, .ask = 64,
			      .warm_up_ms = 500, .ms = 4000};
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == CLOSE)
			plan->close = true;
		else if (option == PLAIN)
			plan->plain = true;
		else if (option < NUMBERS)
			*numbers[option] = number(options[option].name, optarg);
		else
			exit(2);
	}
	if (optind < argc || plan->proxy_port == 0 || plan->proxy_port > UINT16_MAX ||
	    plan->origin_port == 0 || plan->origin_port > UINT16_MAX)
		die("two ports are needed: --proxy PORT --origin PORT");
	check(plan);
}

/* Fills a text with a head and so many bytes of body, and repeats it. */
static void make_text(struct text *t, const char *head, size_t body, size_t copies_max)
{
	size_t head_size = strlen(head);

	t->parts = 1;
	t->size = head_size + body;
	t->copies = CHUNK_SIZE / t->size;
	if (t->copies > copies_max)
		t->copies = copies_max;
	if (t->copies == 0)
		t->copies = 1;
	t->bytes = malloc(t->size * t->copies);
	if (t->bytes == NULL)
		die("no memory for %zu bytes", t->size * t->copies);
	memcpy(t->bytes, head, head_size);
	memset(t->bytes + head_size, 'x', body);
	for (size_t i = 1; i < t->copies; i++)
		memcpy(t->bytes + i * t->size, t->bytes, t->size);
	t->fd = -1;
	if (t->size <= CHUNK_SIZE)
		return;
	t->fd = memfd_create("text", 0);
	if (t->fd < 0 || write(t->fd, t->bytes, t->size) != (ssize_t)t->size)
		die("no file in memory: %s", strerror(errno));
}

/* So many bytes without a meaning, from ordinary memory, as most programs have them. */
static void make_bytes(struct text *t, size_t size)
{
	t->fd = -1;
	t->size = size < PART_SIZE ? size : PART_SIZE;
	t->parts = size / t->size;
	t->copies = 1;
	t->bytes = malloc(t->size);
	if (t->bytes == NULL)
		die("no memory for %zu bytes", t->size);
	memset(t->bytes, 'x', t->size);
}

static void make_texts(struct pump *pump)
{
	const struct plan *plan = &pump->plan;
	char head[HEAD_MAX];

	if (plan->plain) {
		make_bytes(&pump->request, plan->ask);
		make_bytes(&pump->answer, plan->body);
		return;
	}
	snprintf(head, sizeof head, request_format, plan->body,
		 plan->close ? "close" : "keep-alive");
	make_text(&pump->request, head, 0, plan->depth);
	snprintf(head, sizeof head, answer_format, plan->body);
	make_text(&pump->answer, head, plan->body, plan->depth);
}

/* Runs for so long, or until no client waits any more. Returns the seconds. */
static double run(struct pump *pump, unsigned ms)
{
	static struct epoll_event events[EVENTS_MAX];
	uint64_t start = clock_now(), now = start;
	uint64_t end = start + (uint64_t)ms * 1000000;

	for (; now < end && pump->busy > 0; now = clock_now()) {
		int wait_ms = (int)((end - now) / 1000000 + 1);
		int count = epoll_wait(pump->epoll, events, EVENTS_MAX, wait_ms);
		for (int i = 0; i < count; i++) {
			struct connection *c = events[i].data.ptr;
			if (c == NULL)
				origin_on_ready(pump);
			else
				connection_on_ready(pump, c, events[i].events);
		}
	}
	return (double)(now - start) / 1e9;
}

static void say(const char *line)
{
	puts(line);
	fflush(stdout);
}

static void print_figures(const struct pump *pump, double seconds)
{
	const struct histogram *h = &pump->latencies;

	printf("{\"requests\": %lu, \"seconds\": %.6f, \"failed\": %lu, \"bytes\": %lu, "
	       "\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"max\": %.1f}\n",
	       pump->requests, seconds, pump->failed, pump->bytes,
	       (double)histogram_quantile(h, 0.50) / 1e3,
	       (double)histogram_quantile(h, 0.90) / 1e3,
	       (double)histogram_quantile(h, 0.99) / 1e3, (double)h->max / 1e3);
}

int main(int argc, char **argv)
{
	static struct pump pump;

	signal(SIGPIPE, SIG_IGN);
	read_options(&pump.plan, argc, argv);
	make_texts(&pump);
	pump.epoll = epoll_create1(0);
	if (pump.epoll < 0)
		die("no epoll instance: %s", strerror(errno));
	origin_open(&pump);
	clients_open(&pump);

	run(&pump, pump.plan.warm_up_ms);
	pump.counting = true;
	say("begin");
	double seconds = run(&pump, pump.plan.ms);
	pump.counting = false;
	say("end");
	pump.ending = true;
	run(&pump, LAST_ANSWER_MS);

	clients_close(&pump);
	origin_close(&pump);
	close(pump.epoll);
	free(pump.request.bytes);
	free(pump.answer.bytes);
	print_figures(&pump, seconds);
	return 0;
}
