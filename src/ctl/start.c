/* ctl/start.c - start: balancerd in the background, balancing TCP on one address. */
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "ctl/call.h"
#include "ctl/launch.h"
#include "ctl/member.h"
#include "ctl/place.h"
#include "ctl/wait.h"

enum { READY_MS = 10 * 1000, FIXED_WORDS = 16 };

/* All that is worked out before the daemon runs. */
struct start {
	struct address listen;
	struct address *servers;		/* owned */
	uint32_t server_count;
	char program[PATH_MAX];
	char socket[PLACES_SOCKET_MAX];
	char state[PATH_MAX];			/* "": the daemon's own choice */
	char log[PATH_MAX];
	char threads[16];
};

/* A listener needs a number: the first address that the name has. */
static int look_up(struct address *listen, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *found;
	char host[ADDRESS_HOST_MAX + 1], port[8];
	uint16_t number;

	address_split(listen, host, &number);
	snprintf(port, sizeof port, "%u", (unsigned)number);
	int why = getaddrinfo(host, port, &hints, &found);
	if (why != 0)
		return err_set(err, "%s has no address: %s", quote(host).text,
			       gai_strerror(why));
	must(found->ai_addrlen <= sizeof listen->in6);
	memcpy(&listen->any, found->ai_addr, found->ai_addrlen);
	listen->len = found->ai_addrlen;
	address_format(listen);
	freeaddrinfo(found);
	return 0;
}

static int read_words(const struct call *call, struct start *s, struct err *err)
{
	struct words words = {call->words, call->word_count, 0};
	struct command_usage usage = command_usage(call->command);

	if (place_read(&words, usage.text, &s->listen, err) != 0)
		return -1;
	if (s->listen.len != 0 && s->listen.any.sa_family == AF_UNIX)
		return err_set(err, "%s is no address and port to listen on",
			       s->listen.text);
	if (s->listen.len == 0 && look_up(&s->listen, err) != 0)
		return -1;
	s->servers = memory_new(call->word_count, sizeof *s->servers);
	while (words.next < words.count) {
		struct words one = {words.at + words.next, 1, 0};
		if (place_read(&one, "start ADDRESS PORT ADDRESS:PORT ...",
			       &s->servers[s->server_count], err) != 0)
			return -1;
		s->server_count++;
		words.next++;
	}
	return 0;
}

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

/* FOLDER/balancerd, where that can be run. */
static bool try_folder(char out[PATH_MAX], const char *folder, size_t len,
		       const char *below)
{
	int used = snprintf(out, PATH_MAX, "%.*s/%sbalancerd", (int)len, folder, below);

	return used > 0 && used < PATH_MAX && is_program(out);
}

/* Next to this program, where `make install` puts it, in PATH, in the usual places. */
static int find_program(char out[PATH_MAX], struct err *err)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *path = getenv("PATH");

	while (len > 0 && self[len - 1] != '/')
		len--;
	if (len > 0 && (try_folder(out, self, (size_t)len - 1, "") ||
			try_folder(out, self, (size_t)len - 1, "../sbin/")))
		return 0;
	while (path != NULL && *path != '\0') {
		size_t part = strcspn(path, ":");
		if (*path == '/' && try_folder(out, path, part, ""))
			return 0;
		path += part + (path[part] == ':');
	}
	if (try_folder(out, "/usr/local/sbin", PATH_MAX, "") ||
	    try_folder(out, "/usr/sbin", PATH_MAX, ""))
		return 0;
	return err_set(err, "balancerd is neither next to balancerctl nor in PATH nor in "
		       "/usr/local/sbin; install it, or add its folder to PATH");
}

/* A path from the root: the daemon runs in another folder than we do. */
static int make_absolute(const char *path, char *out, size_t size, struct err *err)
{
	char here[PATH_MAX] = "";

	if (*path != '/' && getcwd(here, sizeof here) == NULL)
		return err_sys(err, "the present folder is gone");
	int len = snprintf(out, size, "%s%s%s", here, *path == '/' ? "" : "/", path);
	if ((size_t)len >= size)
		return err_set(err, "the path %.80s... is too long", path);
	return 0;
}

/* The log's name without its folder: the balancer's, or that of its socket. */
static void log_name(const struct call *call, const struct start *s, char *out,
		     size_t size)
{
	const char *slash = strrchr(s->socket, '/');
	const char *base = slash != NULL ? slash + 1 : s->socket;
	const char *dot = strrchr(base, '.');
	int len = dot != NULL && dot != base ? (int)(dot - base) : (int)strlen(base);

	if (call->options.name != NULL)
		snprintf(out, size, "%s.log", call->options.name);
	else
		snprintf(out, size, "%.*s.log", len, base);
}

static int choose_log(const struct call *call, struct start *s, struct err *err)
{
	char folder[PLACES_FOLDER_MAX] = "/var/log/balancerd", name[300];

	if (call->options.log != NULL)
		return make_absolute(call->options.log, s->log, sizeof s->log, err);
	if (call->places.uid != 0 && places_state(&call->places, folder, err) != 0)
		return -1;
	if (make_absolute(folder, s->log, sizeof s->log, err) != 0 ||
	    launch_make_folder(s->log, err) != 0)
		return -1;
	log_name(call, s, name, sizeof name);
	size_t len = strlen(s->log);
	if (len + 1 + strlen(name) >= sizeof s->log)
		return err_set(err, "the path of the log is too long");
	snprintf(s->log + len, sizeof s->log - len, "/%s", name);
	return 0;
}

static enum outcome choose_places(struct call *call, struct start *s, struct err *err)
{
	const struct options *o = &call->options;
	char socket[PLACES_SOCKET_MAX], whole[PATH_MAX];

	if (places_socket(&call->places, socket, NULL, err) != 0 ||
	    make_absolute(socket, whole, sizeof whole, err) != 0)
		return OUTCOME_WRONG;
	if (strlen(whole) >= sizeof s->socket)
		return outcome_set(err, OUTCOME_WRONG,
				   "the path of a control socket has %d "
				   "bytes at most: %s",
				   PLACES_SOCKET_MAX - 1, whole);
	memcpy(s->socket, whole, strlen(whole) + 1);
	if (o->state != NULL &&
	    make_absolute(o->state, s->state, sizeof s->state, err) != 0)
		return OUTCOME_WRONG;
	if (choose_log(call, s, err) != 0 || find_program(s->program, err) != 0)
		return OUTCOME_FAILED;
	return OUTCOME_DONE;
}

/* OUTCOME_DONE: nobody serves the socket. */
static enum outcome check_is_free(struct call *call, struct err *err)
{
	struct answer status;
	enum outcome outcome = call_get(call, "/v1/status", &status, err);

	if (outcome == OUTCOME_NO_BALANCER)
		return OUTCOME_DONE;
	if (outcome != OUTCOME_DONE)
		return outcome;
	const json_t *first =
		json_array_get(json_object_get(status.json, "listeners"), 0);
	outcome =
		outcome_set(err, OUTCOME_CONFLICT,
			    "balancer %s is running already, on %s "
			    "(pid %" PRIu64 "); stop it, or start another one by --name",
			    member_text(status.json, "name"),
			    member_text(first, "address"),
			    member_number(status.json, "pid"));
	client_answer_fini(&status);
	return outcome;
}

/* The command line of the daemon; owned by the caller (free). */
static char **write_line(const struct call *call, struct start *s)
{
	char **line = memory_new(s->server_count + FIXED_WORDS, sizeof *line);
	uint32_t n = 0;

	line[n++] = s->program;
	line[n++] = (char *)"tcp";
	line[n++] = (char *)"--socket";
	line[n++] = s->socket;
	if (call->options.name != NULL) {
		line[n++] = (char *)"--name";
		line[n++] = (char *)call->options.name;
	}
	if (*s->state != '\0') {
		line[n++] = (char *)"--state";
		line[n++] = s->state;
	}
	if (option_given(&call->options, OPTION_THREADS)) {
		snprintf(s->threads, sizeof s->threads, "%" PRIu64,
			 call->options.threads);
		line[n++] = (char *)"--threads";
		line[n++] = s->threads;
	}
	line[n++] = s->listen.text;
	for (uint32_t i = 0; i < s->server_count; i++)
		line[n++] = s->servers[i].text;
	return line;
}

/* Says what runs now. How many servers there are the balancer knows best: it remembers
 * those that were added when it last ran here. */
static void say_started(struct call *call, const struct start *s, pid_t pid)
{
	struct answer status;
	struct err ignored;
	uint64_t servers = s->server_count;

	if (option_given(&call->options, OPTION_JSON)) {
		json_t *json = json_pack("{s:I,s:s,s:s,s:s}", "pid", (json_int_t)pid,
					 "address", s->listen.text, "socket", s->socket,
					 "log", s->log);
		json_dumpf(json, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(json);
		return;
	}
	if (call_get(call, "/v1/status", &status, &ignored) == OUTCOME_DONE) {
		servers = member_number(status.json, "servers");
		client_answer_fini(&status);
	}
	if (servers == 0)
		paper_say(&call->paper,
			  "started on %s (pid %d), log in %s; no servers yet, "
			  "add one with: balancerctl add ADDRESS PORT",
			  s->listen.text, (int)pid, s->log);
	else
		paper_say(&call->paper,
			  "started on %s with %" PRIu64 " server%s (pid %d), "
			  "log in %s",
			  s->listen.text, servers, plural(servers), (int)pid, s->log);
}

static enum outcome start(struct call *call, struct start *s, struct err *err)
{
	struct launch launch = {
		.program = s->program, .log = s->log,
		.deadline = call->deadline != WAIT_FOREVER ?
			call->deadline : wait_until(READY_MS),
	};
	pid_t pid;

	if (read_words(call, s, err) != 0)
		return OUTCOME_WRONG;
	enum outcome outcome = check_is_free(call, err);
	if (outcome == OUTCOME_DONE)
		outcome = choose_places(call, s, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	launch.argv = write_line(call, s);
	outcome = launch_start(&launch, &pid, err);
	free(launch.argv);
	if (outcome == OUTCOME_DONE)
		say_started(call, s, pid);
	return outcome;
}

enum outcome ctl_start(struct call *call, struct err *err)
{
	struct start s = {.program = ""};
	enum outcome outcome = start(call, &s, err);

	free(s.servers);
	return outcome;
}
