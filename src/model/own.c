#include "model/own.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

void model_own_defaults(struct model_own *own, enum own_driver driver)
{
	own->driver = driver;
	if (driver == OWN_DOCKER) {
		own->socket = memory_text("/var/run/docker.sock");
		own->network = memory_text("balancerd");
		own->port = 5000;
	}
	own->min = 1;
	own->max = 10;
	own->prefix = memory_text("S");

	own->start_ms = 30 * 1000;
	own->stop_ms = 10 * 1000;
	own->drain_ms = 30 * 1000;
	own->starts_max = 120;

	own->scale_up_ms = 2 * 1000;
	own->scale_down_ms = 60 * 1000;
}

static void words_free(char **words, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(words[i]);
	free(words);
}

void model_own_fini(struct model_own *own)
{
	free(own->socket);
	free(own->image);
	free(own->network);
	free(own->directory);
	free(own->prefix);
	words_free(own->command, own->command_count);
	words_free(own->environment, own->environment_count);
}

void model_own_destroy(struct model_own *own)
{
	if (own == NULL)
		return;
	model_own_fini(own);
	free(own);
}

static char *text_copy(const char *text)
{
	return text != NULL ? memory_text(text) : NULL;
}

static char **words_copy(char *const *words, uint32_t count)
{
	char **copy = memory_new(count, sizeof *copy);

	for (uint32_t i = 0; i < count; i++)
		copy[i] = memory_text(words[i]);
	return copy;
}

struct model_own *model_own_copy(const struct model_own *own)
{
	if (own == NULL)
		return NULL;
	struct model_own *copy = memory_new(1, sizeof *copy);
	*copy = *own;
	copy->socket = text_copy(own->socket);
	copy->image = text_copy(own->image);
	copy->network = text_copy(own->network);
	copy->directory = text_copy(own->directory);
	copy->prefix = text_copy(own->prefix);
	copy->command = words_copy(own->command, own->command_count);
	copy->environment = words_copy(own->environment, own->environment_count);
	return copy;
}

static uint64_t with_text(uint64_t hash, const char *text)
{
	/* With its end, so that no two lists of texts run into one. */
	return text != NULL ? hash_bytes_seeded(text, strlen(text) + 1, hash)
			    : hash_mix(hash);
}

static uint64_t with_words(uint64_t hash, char *const *words, uint32_t count)
{
	hash = hash_pair(hash, count);
	for (uint32_t i = 0; i < count; i++)
		hash = with_text(hash, words[i]);
	return hash;
}

uint64_t model_own_recipe(const struct model_own *own)
{
	uint64_t hash = hash_pair(own->driver, own->port);

	hash = with_text(hash, own->image);
	hash = with_text(hash, own->network);
	hash = with_text(hash, own->directory);
	hash = with_words(hash, own->command, own->command_count);
	hash = with_words(hash, own->environment, own->environment_count);
	hash = hash_pair(hash, own->memory_max);
	hash = hash_pair(hash, own->cpu_percent);
	hash = hash_pair(hash, own->files_max);
	return hash_pair(hash, own->processes_max);
}
