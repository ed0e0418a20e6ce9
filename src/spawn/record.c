#include "spawn/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/folder.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/places.h"
#include "base/text.h"

struct record {
	char   *folder, *path, *beside;	/* owned; NULL: nothing is written */
	char   *serves;			/* owned */
	json_t *pools;			/* owned */
	json_t *written;		/* owned: as the file has it, or NULL */
	bool    said;			/* that it cannot be written */
};

/* ---- reading ---- */

static bool is_number(const json_t *v, json_int_t max)
{
	return json_is_integer(v) && json_integer_value(v) >= 0 &&
	       json_integer_value(v) <= max;
}

static bool is_pool(const json_t *pool)
{
	const json_t *names = json_object_get(pool, "names");

	if (!is_number(json_object_get(pool, "wanted"), OWN_SERVERS_MAX) ||
	    !json_is_array(names) || json_array_size(names) > OWN_SERVERS_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		if (name == NULL || strlen(name) > OWN_NAME_MAX)
			return false;
	}
	return true;
}

/* The pools of a whole record, owned by the caller; NULL and *err. */
static json_t *take_pools(const json_t *root, const char *serves, struct err *err)
{
	json_t *pools = json_object_get(root, "pools");
	const char *given = json_string_value(json_object_get(root, "serves")), *key;
	json_t *pool;

	if (json_integer_value(json_object_get(root, "format")) != RECORD_FORMAT) {
		err_set(err, "it is not of format %d, which this balancer knows",
			RECORD_FORMAT);
		return NULL;
	}
	if (given == NULL || strcmp(given, serves) != 0 || !json_is_object(pools)) {
		err_set(err, "it is no record of what this balancer serves");
		return NULL;
	}
	json_object_foreach(pools, key, pool) {
		if (!is_pool(pool)) {
			err_set(err, "what it says of pool %.80s cannot be", key);
			return NULL;
		}
	}
	return json_incref(pools);
}

static json_t *read_file(const char *path, const char *serves, struct err *err)
{
	json_error_t error;
	json_t *pools = NULL;
	/* Not blocking: were it a pipe, nobody might ever write to it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		err_sys(err, "it cannot be opened");
		return NULL;
	}
	if (lseek(fd, 0, SEEK_END) > RECORD_BYTES_MAX) {
		err_set(err, "it has more than %d bytes", RECORD_BYTES_MAX);
	} else {
		lseek(fd, 0, SEEK_SET);
		json_t *root = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
		if (root == NULL)
			err_set(err, "it is no JSON, line %d: %.160s", error.line,
				error.text);
		else
			pools = take_pools(root, serves, err);
		json_decref(root);
	}
	close(fd);
	return pools;
}

static void read_if_there(struct record *r)
{
	struct err err;

	if (access(r->path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return;
	json_t *pools = read_file(r->path, r->serves, &err);
	if (pools == NULL) {
		log_warn("how many servers the pools had cannot be read from %s: %s; "
			 "what still runs is found all the same, and the file is written "
			 "anew", r->path, err.text);
		return;
	}
	json_decref(r->pools);
	r->pools = pools;
	r->written = json_deep_copy(pools);
}

void record_reread(struct record *r)
{
	json_object_clear(r->pools);
	json_decref(r->written);
	r->written = NULL;
	if (r->path != NULL)
		read_if_there(r);
}

struct record *record_open(const char *folder, const char *serves)
{
	struct record *r = memory_new(1, sizeof *r);

	r->serves = text_utf8(serves);
	r->pools = json_object();
	if (folder == NULL)
		return r;
	r->folder = memory_text(folder);
	r->path = places_state_file(folder, "owned", serves, "");
	r->beside = places_state_file(folder, "owned", serves, ".new");
	read_if_there(r);
	return r;
}

void record_close(struct record *r)
{
	json_decref(r->pools);
	json_decref(r->written);
	free(r->folder);
	free(r->path);
	free(r->beside);
	free(r->serves);
	free(r);
}

/* ---- what it says ---- */

bool record_find(const struct record *r, const char *pool, struct record_pool *out)
{
	const json_t *there = json_object_get(r->pools, pool);
	const json_t *names = json_object_get(there, "names");

	if (there == NULL)
		return false;
	out->wanted = (uint32_t)json_integer_value(json_object_get(there, "wanted"));
	out->name_count = (uint32_t)json_array_size(names);
	for (uint32_t i = 0; i < out->name_count; i++)
		out->names[i] = json_string_value(json_array_get(names, i));
	return true;
}

void record_set(struct record *r, const char *pool, const struct record_pool *p)
{
	json_t *names = json_array();

	for (uint32_t i = 0; i < p->name_count; i++)
		json_array_append_new(names, json_string(p->names[i]));
	json_object_set_new(r->pools, pool, json_pack("{s:i, s:o}", "wanted",
						      (int)p->wanted, "names", names));
}

void record_remove(struct record *r, const char *pool)
{
	json_object_del(r->pools, pool);
}

/* ---- writing ---- */

static int replace(const struct record *r, struct err *err)
{
	json_t *root = json_pack("{s:i, s:s, s:O}", "format", RECORD_FORMAT, "serves",
				 r->serves, "pools", r->pools);
	char *text = json_dumps(root, JSON_INDENT(1));

	must(text != NULL);
	int result = folder_replace(r->folder, r->path, r->beside, text, err);
	free(text);
	json_decref(root);
	return result;
}

void record_write(struct record *r)
{
	struct err err;
	bool known = r->written != NULL ? json_equal(r->pools, r->written)
					: json_object_size(r->pools) == 0;

	if (r->path == NULL || known)
		return;
	if (replace(r, &err) == 0) {
		json_decref(r->written);
		r->written = json_deep_copy(r->pools);
		r->said = false;
		return;
	}
	if (!r->said)
		log_warn("a restart will not know how many servers the pools have: %s",
			 err.text);
	r->said = true;
}
