#include "spawn/docker_ask.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"

/* Each takes the value over; false: it was no JSON, because a text was no UTF-8. */
static bool set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

static bool append(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) == 0;
}

/* For what goes only into a question: one that is no UTF-8 names nothing there is. */
static json_t *word(const char *text)
{
	json_t *json = json_string(text);

	return json != NULL ? json : json_string("?");
}

static char *dump(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	must(text != NULL);
	json_decref(object);
	return text;
}

static json_t *labels_of(const struct model_own *own, const struct docker_place *place,
			 const char *name)
{
	json_t *labels = json_object();

	set(labels, DOCKER_LABEL_BALANCER, json_string(place->balancer));
	set(labels, DOCKER_LABEL_POOL, json_string(place->pool));
	set(labels, DOCKER_LABEL_SERVER, json_string(name));
	set(labels, DOCKER_LABEL_RECIPE,
	    json_sprintf("%016" PRIx64, model_own_recipe(own)));
	set(labels, DOCKER_LABEL_PORT, json_sprintf("%u", (unsigned)own->port));
	return labels;
}

/* Ours come last, so that they hold. */
static bool set_environment(json_t *body, const struct model_own *own, const char *name)
{
	json_t *all = json_array();
	bool good = true;

	for (uint32_t i = 0; i < own->environment_count; i++)
		good = append(all, json_string(own->environment[i])) && good;
	append(all, json_sprintf("SERVER_ID=%s", name));
	append(all, json_sprintf("PORT=%u", (unsigned)own->port));
	set(body, "Env", all);
	return good;
}

/* All of what runs, whatever the image has as an entry point. */
static bool set_command(json_t *body, const struct model_own *own)
{
	json_t *words = json_array();
	bool good = true;

	for (uint32_t i = 0; i < own->command_count; i++)
		good = append(words, json_string(own->command[i])) && good;
	if (own->command_count > 0)
		set(body, "Entrypoint", words);
	else
		json_decref(words);
	return good;
}

static json_t *limits_of(const struct model_own *own)
{
	enum { NANO_CPUS_OF_PERCENT = 10 * 1000 * 1000 };
	json_t *host = json_object(), *ulimits;

	set(host, "NetworkMode", json_string(own->network));
	set(host, "RestartPolicy", json_pack("{s:s}", "Name", "no"));	/* we restart */
	if (own->memory_max > 0) {	/* with swap as much in all: no swap */
		set(host, "Memory", json_integer((json_int_t)own->memory_max));
		set(host, "MemorySwap", json_integer((json_int_t)own->memory_max));
	}
	if (own->cpu_percent > 0)
		set(host, "NanoCpus",
		    json_integer((json_int_t)own->cpu_percent * NANO_CPUS_OF_PERCENT));
	if (own->processes_max > 0)
		set(host, "PidsLimit", json_integer(own->processes_max));
	if (own->files_max > 0) {
		ulimits = json_pack("[{s:s,s:I,s:I}]", "Name", "nofile",
				    "Soft", (json_int_t)own->files_max,
				    "Hard", (json_int_t)own->files_max);
		set(host, "Ulimits", ulimits);
	}
	return host;
}

/* The engine's default network has no names for its containers. */
static json_t *endpoint_of(const struct model_own *own, const char *name)
{
	if (strcmp(own->network, "bridge") == 0)
		return json_object();
	return json_pack("{s:[s]}", "Aliases", name);
}

char *docker_ask_container(const struct model_own *own, const struct docker_place *place,
			   const char *name, struct err *err)
{
	json_t *body = json_object();
	bool good = set(body, "Image", json_string(own->image));

	set(body, "Hostname", json_string(name));
	good = set_environment(body, own, name) && good;
	good = set_command(body, own) && good;
	set(body, "Labels", labels_of(own, place, name));
	set(body, "HostConfig", limits_of(own));
	good = set(body, "NetworkingConfig",
		   json_pack("{s:{s:o}}", "EndpointsConfig", own->network,
			     endpoint_of(own, name))) && good;
	if (good)
		return dump(body);
	json_decref(body);
	err_set(err, "image, network, command and env of pool %s have to be UTF-8",
		place->pool);
	return NULL;
}

char *docker_ask_network(const char *network, const char *balancer)
{
	json_t *body = json_pack("{s:s,s:s,s:b,s:{s:s}}", "Name", network,
				 "Driver", "bridge", "CheckDuplicate", 1,
				 "Labels", DOCKER_LABEL_BALANCER, balancer);

	return body != NULL ? dump(body) : memory_text("{}");
}

char *docker_ask_path(const char *format, ...)
{
	va_list args;
	char *path;

	va_start(args, format);
	int len = vasprintf(&path, format, args);
	va_end(args);
	if (len < 0)
		memory_exhausted(strlen(format), 1);
	return path;
}

/* `path`, then the filters as the value of an argument. Takes them over. */
static char *with_filters(const char *path, json_t *filters)
{
	char *text = dump(filters);
	char *escaped = curl_easy_escape(NULL, text, (int)strlen(text));

	must(escaped != NULL);
	char *whole = docker_ask_path("%s%s", path, escaped);
	curl_free(escaped);
	free(text);
	return whole;
}

static json_t *filter_ours(const char *balancer, const char *pool)
{
	char *labels[2] = {docker_ask_path(DOCKER_LABEL_BALANCER "=%s", balancer),
			   docker_ask_path(DOCKER_LABEL_POOL "=%s", pool)};
	json_t *filters = json_pack("{s:[o,o]}", "label",
				    word(labels[0]), word(labels[1]));

	free(labels[0]);
	free(labels[1]);
	return filters;
}

char *docker_ask_list(const char *balancer, const char *pool)
{
	return with_filters("/containers/json?all=true&filters=",
			    filter_ours(balancer, pool));
}

char *docker_ask_events(const char *balancer, const char *pool, uint64_t since)
{
	char path[64];
	json_t *filters = filter_ours(balancer, pool);

	/* Each word for it: Docker's, and Podman's. */
	set(filters, "event", json_pack("[s,s,s,s]", "die", "died", "destroy", "remove"));
	set(filters, "type", json_pack("[s]", "container"));
	snprintf(path, sizeof path, "/events?since=%" PRIu64 "&filters=", since);
	return with_filters(path, filters);
}

char *docker_ask_networks(const char *network)
{
	return with_filters("/networks?filters=",
			    json_pack("{s:[o]}", "name", word(network)));
}
