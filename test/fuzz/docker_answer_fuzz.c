/* Properties: whatever an engine answers, what is taken from it is whole: ids fit into a
 * path, names are names, texts are lines that end; what is refused has a reason; and one
 * who reads it again reads the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "spawn/docker_answer.h"

static const struct docker_place place = {
	.balancer = "default", .pool = "web", .network = "net", .port = 5000,
};

static void must_be_id(const char *id)
{
	must(*id != '\0' && strlen(id) <= SPAWN_ID_MAX);
	for (const char *c = id; *c != '\0'; c++)
		must(isalnum((unsigned char)*c));
}

static void must_be_line(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	must(len < size);
	for (size_t i = 0; i < len; i++)
		must((unsigned char)text[i] >= ' ');
}

static void must_be_ours(const struct spawn_server *s)
{
	must(spawn_name_is_good(s->name));
	must(s->address.len == 0 || address_port(&s->address) != 0);
}

static void read_list(struct span text)
{
	struct spawn_server *found, *again;
	uint32_t count, count_again;
	struct err err = {0};
	int result = docker_answer_list(text, &place, &found, &count, &err);

	must(docker_answer_list(text, &place, &again, &count_again, &err) == result);
	must(count == count_again);
	must(result == 0 || (err.text[0] != '\0' && found == NULL && count == 0));
	for (uint32_t i = 0; i < count; i++) {
		must_be_id(found[i].id);
		must_be_ours(&found[i]);
		must(strcmp(found[i].name, again[i].name) == 0);
	}
	free(found);
	free(again);
}

static void read_container(struct span text)
{
	struct docker_container c;
	struct err err = {0};

	if (docker_answer_container(text, &place, &c, &err) != 0) {
		must(err.text[0] != '\0');
		return;
	}
	must_be_id(c.server.id);
	must(c.exit_code >= -1 && c.exit_code <= UINT8_MAX);
	must_be_line(c.trouble, sizeof c.trouble);
	if (c.ours)
		must_be_ours(&c.server);
}

static void read_others(struct span text)
{
	char version[DOCKER_VERSION_SIZE], id[SPAWN_ID_MAX + 1];
	char message[DOCKER_MESSAGE_SIZE], line[DOCKER_WHY_SIZE];
	struct docker_networks networks;
	struct docker_event event;
	struct err err;

	if (docker_answer_version(text, version, &err) == 0)
		must(strspn(version, "0123456789.") == strlen(version));
	if (docker_answer_created(text, id, &err) == 0)
		must_be_id(id);
	if (docker_answer_networks(text, "net", &networks, &err) == 0 &&
	    networks.count > 0)
		must_be_id(networks.oldest);
	if (docker_answer_event(text, &place, &event)) {
		must_be_id(event.id);
		docker_answer_exit(event.exit_code, false, line);
		must_be_line(line, sizeof line);
	}
	must(docker_answer_message(text, message) == (message[0] != '\0'));
	must_be_line(message, sizeof message);
	docker_answer_last_line(text, line);
	must_be_line(line, sizeof line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};

	read_list(text);
	read_container(text);
	read_others(text);
	return 0;
}
