#include "spawn/docker_answer.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bigendian.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "spawn/docker_ask.h"

/* ---- members of foreign JSON: "" and NULL for what is not there ---- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static json_t *read_json(struct span text, const char *what, struct err *err)
{
	json_error_t error;
	json_t *json = text.len > 0 ? json_loadb(text.at, text.len, 0, &error) : NULL;

	if (json == NULL)
		err_set(err, "the container engine's answer about %s is no JSON%s%s",
			what, text.len > 0 ? ": " : "", text.len > 0 ? error.text : "");
	return json;
}

/* An id goes into paths, so it has to be letters and digits and nothing else. */
static bool copy_id(char id[SPAWN_ID_MAX + 1], const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > SPAWN_ID_MAX)
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c))
			return false;
	memcpy(id, text, len + 1);
	return true;
}

/* Onto one line of plain text, cut between characters. */
static void copy_line(char *to, size_t size, const char *text, size_t len)
{
	size_t fits = len < size ? len : size - 1;

	if (fits < len)
		fits = text_whole(text, fits, text[fits]);
	for (size_t i = 0; i < fits; i++)
		to[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
	to[fits] = '\0';
}

/* ---- versions ---- */

static bool read_version(const char *text, unsigned *minor)
{
	char more;

	return strncmp(text, "1.", 2) == 0 && isdigit((unsigned char)text[2]) &&
	       sscanf(text + 2, "%3u%c", minor, &more) == 1;
}

int docker_answer_version(struct span text, char version[DOCKER_VERSION_SIZE],
			  struct err *err)
{
	unsigned newest, oldest;
	json_t *json = read_json(text, "its version", err);

	if (json == NULL)
		return -1;
	const char *said = text_of(json, "ApiVersion");
	const char *least = text_of(json, "MinAPIVersion");
	bool good = read_version(said, &newest);
	if (!good)
		err_set(err, "the container engine says its API has version %s: none "
			"that is known here", quote(said).text);
	else if (newest < DOCKER_MINOR_MIN)
		err_set(err, "the container engine's API has version %s, 1.%d is needed: "
			"please take a newer engine", quote(said).text, DOCKER_MINOR_MIN);
	if (!read_version(least, &oldest))
		oldest = DOCKER_MINOR_MIN;
	json_decref(json);
	if (!good || newest < DOCKER_MINOR_MIN)
		return -1;

	/* Newer ones than we know are spoken only with an engine that insists on it. */
	unsigned minor = newest < DOCKER_MINOR_KNOWN ? newest : DOCKER_MINOR_KNOWN;
	if (minor < oldest)
		minor = oldest;
	snprintf(version, DOCKER_VERSION_SIZE, "1.%u", minor);
	return 0;
}

int docker_answer_created(struct span text, char id[SPAWN_ID_MAX + 1], struct err *err)
{
	json_t *json = read_json(text, "what it created", err);

	if (json == NULL)
		return -1;
	bool good = copy_id(id, text_of(json, "Id"));
	json_decref(json);
	if (!good)
		return err_set(err, "the container engine does not say the id of what it "
			       "created");
	return 0;
}

/* ---- containers ---- */

/* Labels, or an event's attributes, which have the labels among them. */
static bool is_ours(const json_t *labels, const struct docker_place *place)
{
	return strcmp(text_of(labels, DOCKER_LABEL_BALANCER), place->balancer) == 0 &&
	       strcmp(text_of(labels, DOCKER_LABEL_POOL), place->pool) == 0;
}

/* What our own labels say. False: it is ours, but it is spoilt. */
static bool read_labels(const json_t *labels, const struct docker_place *place,
			struct spawn_server *s, unsigned *port)
{
	const char *name = text_of(labels, DOCKER_LABEL_SERVER);
	const char *recipe = text_of(labels, DOCKER_LABEL_RECIPE);
	char *end;

	if (!spawn_name_is_good(name))
		return false;
	strcpy(s->name, name);
	errno = 0;
	s->recipe = strtoull(recipe, &end, 16);
	if (errno != 0 || *end != '\0')
		s->recipe = 0;		/* which no recipe is, so that it is replaced */
	unsigned long said = strtoul(text_of(labels, DOCKER_LABEL_PORT), &end, 10);
	*port = *end == '\0' && said > 0 && said <= UINT16_MAX ? (unsigned)said
							      : place->port;
	return true;
}

static const char *ip_in(const json_t *network)
{
	const char *ip4 = text_of(network, "IPAddress");

	return *ip4 != '\0' ? ip4 : text_of(network, "GlobalIPv6Address");
}

/* In our network, or in any other if that was another one when it was made. */
static void read_address(const json_t *settings, const struct docker_place *place,
			 unsigned port, struct address *address)
{
	json_t *networks = json_object_get(settings, "Networks"), *network;
	const char *ip = ip_in(json_object_get(networks, place->network)), *name;
	char text[ADDRESS_TEXT_MAX];
	struct err unused;

	json_object_foreach(networks, name, network)
		if (*ip == '\0')
			ip = ip_in(network);
	*address = (struct address){0};
	if (*ip == '\0' || strlen(ip) >= INET6_ADDRSTRLEN)
		return;
	bool six = strchr(ip, ':') != NULL;
	snprintf(text, sizeof text, "%s%s%s:%u", six ? "[" : "", ip, six ? "]" : "",
		 port);
	if (address_parse(address, text, "127.0.0.1", &unused) != 0)
		*address = (struct address){0};
}

int docker_answer_container(struct span text, const struct docker_place *place,
			    struct docker_container *c, struct err *err)
{
	unsigned port = place->port;
	json_t *json = read_json(text, "a container", err);

	if (json == NULL)
		return -1;
	*c = (struct docker_container){0};
	const json_t *state = json_object_get(json, "State");
	const json_t *config = json_object_get(json, "Config");
	const json_t *labels = json_object_get(config, "Labels");
	const char *trouble = text_of(state, "Error");
	bool good = copy_id(c->server.id, text_of(json, "Id")) && json_is_object(state);

	c->ours = is_ours(labels, place) && read_labels(labels, place, &c->server, &port);
	c->server.running = json_is_true(json_object_get(state, "Running"));
	c->out_of_memory = json_is_true(json_object_get(state, "OOMKilled"));
	json_int_t code = json_integer_value(json_object_get(state, "ExitCode"));
	c->exit_code = code >= 0 && code <= UINT8_MAX ? (int)code : -1;
	copy_line(c->trouble, sizeof c->trouble, trouble, strlen(trouble));
	read_address(json_object_get(json, "NetworkSettings"), place, port,
		     &c->server.address);
	json_decref(json);
	if (!good)
		return err_set(err, "the container engine does not say the state of a "
			       "container");
	return 0;
}

/* False: it is left out. */
static bool read_listed(const json_t *item, const struct docker_place *place,
			struct spawn_server *s)
{
	const json_t *labels = json_object_get(item, "Labels");
	unsigned port;

	if (!is_ours(labels, place) || !copy_id(s->id, text_of(item, "Id")) ||
	    !read_labels(labels, place, s, &port))
		return false;
	s->running = strcmp(text_of(item, "State"), "running") == 0;
	read_address(json_object_get(item, "NetworkSettings"), place, port, &s->address);
	return true;
}

int docker_answer_list(struct span text, const struct docker_place *place,
		       struct spawn_server **found, uint32_t *count, struct err *err)
{
	json_t *json = read_json(text, "containers", err), *item;
	size_t i;
	int result = 0;

	*found = NULL;
	*count = 0;
	if (json == NULL)
		return -1;
	size_t all = json_array_size(json);
	if (!json_is_array(json)) {
		result = err_set(err, "the container engine's answer about containers is "
				 "no list");
	} else if (all > OWN_SERVERS_MAX) {
		result = err_set(err, "there are %zu containers with the labels of pool "
				 "%s, %d at most are looked after; remove some: "
				 "docker rm", all, place->pool, OWN_SERVERS_MAX);
	} else if (all > 0) {
		*found = memory_new(all, sizeof **found);
		json_array_foreach(json, i, item)
			*count += read_listed(item, place, &(*found)[*count]);
	}
	json_decref(json);
	return result;
}

/* ---- networks ---- */

int docker_answer_networks(struct span text, const char *name,
			   struct docker_networks *networks, struct err *err)
{
	char first[DOCKER_CREATED_SIZE] = "", id[SPAWN_ID_MAX + 1];
	json_t *json = read_json(text, "networks", err), *item;
	size_t i;

	if (json == NULL)
		return -1;
	*networks = (struct docker_networks){0};
	bool good = json_is_array(json);
	json_array_foreach(json, i, item) {
		char created[DOCKER_CREATED_SIZE];
		if (strcmp(text_of(item, "Name"), name) != 0)
			continue;
		good = good && copy_id(id, text_of(item, "Id"));
		if (!good)
			break;
		/* Times of one engine, in one form: their order is that of the text. */
		snprintf(created, sizeof created, "%s", text_of(item, "Created"));
		int order = strcmp(created, first);
		if (networks->count++ == 0 || order < 0 ||
		    (order == 0 && strcmp(id, networks->oldest) < 0)) {
			strcpy(first, created);
			strcpy(networks->oldest, id);
		}
	}
	json_decref(json);
	if (!good)
		return err_set(err, "the container engine's answer about networks is no "
			       "list of them");
	return 0;
}

/* ---- events, messages, logs ---- */

static int exit_code_of(const json_t *attributes)
{
	static const char *const names[] = {"exitCode", "containerExitCode"};
	char *end;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *text = text_of(attributes, names[i]);
		unsigned long code = strtoul(text, &end, 10);
		if (*text != '\0' && *end == '\0' && code <= UINT8_MAX)
			return (int)code;
	}
	return -1;
}

bool docker_answer_event(struct span line, const struct docker_place *place,
			 struct docker_event *event)
{
	json_t *json = line.len > 0 ? json_loadb(line.at, line.len, 0, NULL) : NULL;

	if (json == NULL)
		return false;
	const json_t *actor = json_object_get(json, "Actor");
	const json_t *attributes = json_object_get(actor, "Attributes");
	const char *action = text_of(json, "Action");
	bool died = strcmp(action, "die") == 0 || strcmp(action, "died") == 0;
	bool removed = strcmp(action, "destroy") == 0 || strcmp(action, "remove") == 0;
	bool good = strcmp(text_of(json, "Type"), "container") == 0 &&
		    (died || removed) && is_ours(attributes, place) &&
		    copy_id(event->id, text_of(actor, "ID"));

	event->died = died;
	event->exit_code = exit_code_of(attributes);
	json_decref(json);
	return good;
}

bool docker_answer_message(struct span text, char message[DOCKER_MESSAGE_SIZE])
{
	json_t *json = text.len > 0 ? json_loadb(text.at, text.len, 0, NULL) : NULL;
	const char *said = text_of(json, "message");

	copy_line(message, DOCKER_MESSAGE_SIZE, said, strlen(said));
	json_decref(json);
	return *message != '\0';
}

/* Takes the next frame off: 1 byte for the stream, 3 of nothing, 4 for the length in
 * network order, the bytes. False: what is left is none. */
static bool cut_frame(struct span *rest, struct span *bytes)
{
	const unsigned char *at = (const unsigned char *)rest->at;
	enum { HEAD = 8, STREAM_LAST = 2 };

	if (rest->len < HEAD || at[0] > STREAM_LAST || memcmp(at + 1, "\0\0\0", 3) != 0)
		return false;
	size_t len = bigendian_u32(at + 4);
	if (len > rest->len - HEAD)
		len = rest->len - HEAD;
	*bytes = (struct span){rest->at + HEAD, len};
	rest->at += HEAD + len;
	rest->len -= HEAD + len;
	return true;
}

void docker_answer_last_line(struct span log, char line[DOCKER_WHY_SIZE])
{
	struct span rest = log, bytes, item, last = {0};

	while (cut_frame(&rest, &bytes))
		while (span_cut(&bytes, '\n', &item))
			if (item.len > 0)
				last = item;
	if (rest.at == log.at)
		while (span_cut(&rest, '\n', &item))
			if (item.len > 0)
				last = item;
	copy_line(line, DOCKER_WHY_SIZE, last.at, last.len);
}

void docker_answer_exit(int code, bool out_of_memory, char why[DOCKER_WHY_SIZE])
{
	enum { BY_SIGNAL = 128 };
	const char *signal = code > BY_SIGNAL ? sigdescr_np(code - BY_SIGNAL) : NULL;
	int len;

	if (code < 0)
		len = snprintf(why, DOCKER_WHY_SIZE, "exited");
	else
		len = snprintf(why, DOCKER_WHY_SIZE, "exited with status %d", code);
	char *at = why + len;
	size_t room = DOCKER_WHY_SIZE - (size_t)len;
	if (out_of_memory)
		snprintf(at, room, " (out of memory: see \"memory\")");
	else if (signal != NULL)
		snprintf(at, room, " (%c%s)", span_lower(*signal), signal + 1);
}
