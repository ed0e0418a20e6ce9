#include "config/fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/expected.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/span.h"
#include "base/text.h"
#include "config/name_servers.h"
#include "config/own_words.h"
#include "config/peers.h"
#include "config/value.h"
#include "model/access_form.h"
#include "pick/policy.h"

/* A server and the control interface without a host are this machine's. */
#define LOCAL_HOST "127.0.0.1"

static void *field_at(struct field field, void *target)
{
	return (char *)target + field.offset;
}

void fill_number(struct field field, void *target, uint64_t value)
{
	void *at = field_at(field, target);
	uint8_t  v8  = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;

	must(field.size == 8 || value >> (8 * field.size) == 0);
	switch (field.size) {
	case 1:
		memcpy(at, &v8, sizeof v8);
		break;
	case 2:
		memcpy(at, &v16, sizeof v16);
		break;
	case 4:
		memcpy(at, &v32, sizeof v32);
		break;
	default:
		must(field.size == 8);
		memcpy(at, &value, sizeof value);
	}
}

uint64_t fill_read_number(struct field field, const void *target)
{
	const void *at = (const char *)target + field.offset;
	uint64_t v64 = 0;
	uint32_t v32;
	uint16_t v16;

	switch (field.size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		memcpy(&v16, at, sizeof v16);
		return v16;
	case 4:
		memcpy(&v32, at, sizeof v32);
		return v32;
	default:
		must(field.size == 8);
		memcpy(&v64, at, sizeof v64);
		return v64;
	}
}

/* Takes a copy of the word, in the place of what was there. */
static void set_text(const struct argument *a, void *target, const char *word)
{
	char **text = field_at(a->field, target);

	must(a->field.size == sizeof *text);
	free(*text);
	*text = memory_text(word);
}

static void lower_text(const struct argument *a, void *target)
{
	char **text = field_at(a->field, target);

	for (char *c = *text; *c != '\0'; c++)
		*c = span_lower(*c);
}

static const struct choice *find_choice(const struct argument *a, const char *word)
{
	for (const struct choice *c = a->choices; c != NULL && c->word != NULL; c++)
		if (strcmp(c->word, word) == 0)
			return c;
	return NULL;
}

static int refuse(const char *word, const struct expected *e, struct err *err)
{
	return err_set(err, "unknown word %s, %s", quote(word).text,
		       expected_text(e).text);
}

static int refuse_choice(const struct argument *a, const char *word, struct err *err)
{
	struct expected e;

	expected_init(&e, word);
	for (const struct choice *c = a->choices; c->word != NULL; c++)
		expected_add(&e, c->word);
	return refuse(word, &e, err);
}

static int fill_policy(const struct argument *a, void *target, const char *word,
		       struct err *err)
{
	const struct policy *found = policy_find(word);
	struct expected e;

	if (found == NULL) {
		expected_init(&e, word);
		for (uint32_t i = 0; policies[i] != NULL; i++)
			expected_add(&e, policies[i]->name);
		return refuse(word, &e, err);
	}
	must(a->field.size == sizeof found);
	memcpy(field_at(a->field, target), &found, sizeof found);
	return 0;
}

static int fill_pool(const struct argument *a, void *target, const char *word,
		     const struct model *m, struct err *err)
{
	int index = model_pool_find(m, span_of(word));
	uint32_t known = 0;
	struct expected e;

	if (index >= 0) {
		fill_number(a->field, target, (uint64_t)index);
		return 0;
	}
	expected_init(&e, word);
	for (uint32_t i = 0; i < m->pool_count; i++) {
		if (*m->pools[i].name == '\0')	/* a name that was refused */
			continue;
		expected_add(&e, m->pools[i].name);
		known++;
	}
	if (known == 0)
		return err_set(err,
			       "unknown pool %s; this file has no pool yet, add for "
			       "example: pool web { server 127.0.0.1:8081 }",
			       quote(word).text);
	return err_set(err, "unknown pool %s, %s", quote(word).text,
		       expected_text(&e).text);
}

/* Its number and 1, which 0 is none of. */
static int fill_owning_pool(const struct argument *a, void *target, const char *word,
			    const struct model *m, struct err *err)
{
	int index = model_pool_find(m, span_of(word));

	if (index < 0)
		return fill_pool(a, target, word, m, err);
	if (m->pools[index].own == NULL)
		return err_set(err, "pool %s does not own its servers; add to its block: "
			       "own docker { ... } or own process { ... }",
			       quote(word).text);
	fill_number(a->field, target, (uint64_t)index + 1);
	return 0;
}

int fill_listen(struct address *out, const char *word, const char *host, struct err *err)
{
	struct address address;

	if (address_parse(&address, word, host, err) != 0)
		return -1;
	if (address.len == 0)
		return err_set(err,
			       "%s is a name; a listener needs a number, for example "
			       "127.0.0.1:%s",
			       quote(word).text, strrchr(word, ':') + 1);
	if (address.any.sa_family == AF_UNIX)
		return err_set(err,
			       "%s is a UNIX socket; a listener needs a port, for "
			       "example :8080",
			       quote(word).text);
	*out = address;
	return 0;
}

/* The path behind "unix:", by which the table has found the row. */
static int fill_socket(const struct argument *a, void *target, const char *word,
		       struct err *err)
{
	struct address address;

	if (address_parse(&address, word, LOCAL_HOST, err) != 0)
		return -1;
	set_text(a, target, address.un.sun_path);
	return 0;
}

static int fill_peers(void *target, const char *word, struct err *err)
{
	struct model_listener *l = target;
	struct model_peers peers;

	if (peers_read(word, &peers, err) != 0)
		return -1;
	for (uint32_t i = 0; i < l->proxy_peer_count; i++)
		if (memcmp(&l->proxy_peers[i], &peers, sizeof peers) == 0)
			return err_set(err, "%s is given twice", quote(word).text);
	if (l->proxy_peer_count == MODEL_PEERS_MAX)
		return err_set(err, "more than %d ranges of addresses", MODEL_PEERS_MAX);
	l->proxy_peers = memory_grow(l->proxy_peers, l->proxy_peer_count + 1,
				     sizeof *l->proxy_peers);
	l->proxy_peers[l->proxy_peer_count++] = peers;
	return 0;
}

static int fill_server(const struct argument *a, void *target, const char *word,
		       struct err *err)
{
	return address_parse(field_at(a->field, target), word, LOCAL_HOST, err);
}

/* `load`, `200` or `200-399`. */
static int fill_expect(const struct argument *a, void *target, const char *word,
		       struct err *err)
{
	struct model_check *check = field_at(a->field, target);
	const char *dash = strchr(word, '-');
	size_t len = dash != NULL ? (size_t)(dash - word) : strlen(word);
	uint64_t min, max;

	if (strcmp(word, "load") == 0) {
		check->expect = EXPECT_LOAD;
		return 0;
	}
	if (!span_to_u64((struct span){word, len}, &min) ||
	    !span_to_u64(span_of(dash != NULL ? dash + 1 : word), &max))
		return err_set(err,
			       "%s is nothing to expect; write a status (200), a range "
			       "of them (200-399), or load",
			       quote(word).text);
	if (min < 100 || max > 599 || min > max)
		return err_set(err, "%s is no status; expected 100 to 599%s",
			       quote(word).text,
			       min > max ? ", the smaller one first" : "");
	check->expect = EXPECT_STATUS;
	check->status_min = (uint16_t)min;
	check->status_max = (uint16_t)max;
	return 0;
}

/* A word that is none of the choices is the host itself. */
static int fill_host_mode(const struct argument *a, void *target, const char *word,
			  struct err *err)
{
	struct model_pool *p = target;

	if (value_check_host(word, true, err) != 0)
		return -1;
	fill_number(a->field, p, HOST_FIXED);
	free(p->host);
	p->host = memory_text(word);
	return 0;
}

/* `1/100`: one of a hundred. */
static int fill_part(const struct argument *a, void *target, const char *word,
		     struct err *err)
{
	uint64_t of;

	if (strncmp(word, "1/", 2) != 0 || !span_to_u64(span_of(word + 2), &of))
		return err_set(err, "%s is no part; expected 1/ and a number, for example "
			       "1/100", quote(word).text);
	if (of < a->min || of > a->max)
		return err_set(err, "%s is too %s; expected 1/%llu to 1/%llu",
			       quote(word).text, of > a->max ? "small" : "large",
			       (unsigned long long)a->min, (unsigned long long)a->max);
	fill_number(a->field, target, of);
	return 0;
}

static int fill_access_form(const struct argument *a, void *target, const char *word,
			    struct err *err)
{
	struct access_form **form = field_at(a->field, target);
	struct access_form *new = memory_new(1, sizeof *new);

	if (access_form_read(new, word, err) != 0) {
		free(new);
		return -1;
	}
	free(*form);
	*form = new;
	return 0;
}

bool fill_value_kind(const struct argument *a, enum value_kind *kind)
{
	static const enum value_kind kinds[] = {
		[ARGUMENT_NUMBER] = VALUE_NUMBER,   [ARGUMENT_TIME] = VALUE_TIME,
		[ARGUMENT_SIZE] = VALUE_SIZE,       [ARGUMENT_PERCENT] = VALUE_PERCENT,
		[ARGUMENT_SECONDS] = VALUE_SECONDS, [ARGUMENT_PRIME] = VALUE_NUMBER,
	};

	if (a->kind < ARGUMENT_NUMBER || a->kind > ARGUMENT_PRIME)
		return false;
	*kind = kinds[a->kind];
	return true;
}

static int fill_value(const struct argument *a, void *target, const char *word,
		      struct err *err)
{
	struct value_range range = {.min = a->min, .max = a->max};
	uint64_t value;

	must(fill_value_kind(a, &range.kind));
	if (value_read(&range, word, &value, err) != 0)
		return -1;
	if (a->kind == ARGUMENT_PRIME && value_check_prime(value, err) != 0)
		return -1;
	fill_number(a->field, target, value);
	return 0;
}

/* The bits of several words come together; the word that has none stands alone. */
static int add_choice(const struct argument *a, void *target, const char *word,
		      struct err *err)
{
	const struct choice *c = find_choice(a, word);

	if (c == NULL)
		return refuse_choice(a, word, err);
	uint64_t before = fill_read_number(a->field, target);
	if (c->value == 0 && before != 0)
		return err_set(err, "%s stands alone", quote(word).text);
	if ((c->value & before) != 0)
		return err_set(err, "%s is given twice", quote(word).text);
	fill_number(a->field, target, before | c->value);
	return 0;
}

static int check_prefix(const char *word, struct err *err)
{
	return value_check_path(word, false, err);
}

static int check_target(const char *word, struct err *err)
{
	return value_check_path(word, true, err);
}

static int check_host(const char *word, struct err *err)
{
	return value_check_host(word, true, err);
}

bool fill_is_text(const struct argument *a)
{
	return a->kind >= ARGUMENT_FILE && a->kind <= ARGUMENT_SERVER_PREFIX;
}

/* A word that is kept as it is once it has passed its check. */
static int fill_text(const struct argument *a, void *target, const char *word,
		     struct err *err)
{
	static int (*const checks[])(const char *word, struct err *err) = {
		[ARGUMENT_FILE] = value_check_file,
		[ARGUMENT_NAME] = value_check_name,
		[ARGUMENT_PREFIX] = check_prefix,
		[ARGUMENT_TARGET] = check_target,
		[ARGUMENT_TOKEN] = value_check_token,
		[ARGUMENT_QUERY_NAME] = value_check_query_name,
		[ARGUMENT_HOST] = check_host,
		[ARGUMENT_HOST_PATTERN] = value_check_host_pattern,
		[ARGUMENT_IMAGE] = value_check_image,
		[ARGUMENT_NETWORK] = value_check_network,
		[ARGUMENT_ENGINE] = value_check_engine,
		[ARGUMENT_FOLDER] = value_check_folder,
		[ARGUMENT_SERVICE] = value_check_service,
		[ARGUMENT_SERVER_PREFIX] = value_check_server_prefix,
	};

	if (checks[a->kind](word, err) != 0)
		return -1;
	set_text(a, target, word);
	if (a->kind == ARGUMENT_HOST_PATTERN)
		lower_text(a, target);
	return 0;
}

int fill_field(const struct argument *a, void *target, const char *word,
	       const struct model *m, struct err *err)
{
	const struct choice *c = find_choice(a, word);

	if (c != NULL && a->kind != ARGUMENT_CHOICES) {
		fill_number(a->field, target, c->value);
		return 0;
	}
	if (fill_value_kind(a, &(enum value_kind){0}))
		return fill_value(a, target, word, err);
	if (fill_is_text(a))
		return fill_text(a, target, word, err);
	switch ((int)a->kind) {		/* the others */
	case ARGUMENT_CHOICE:
		return refuse_choice(a, word, err);
	case ARGUMENT_CHOICES:
		return add_choice(a, target, word, err);
	case ARGUMENT_FLAG:
		fill_number(a->field, target, true);
		return 0;
	case ARGUMENT_SOCKET:
		return fill_socket(a, target, word, err);
	case ARGUMENT_COMMAND:
		return own_add_word(target, word, err);
	case ARGUMENT_VARIABLE:
		return own_name_variable(target, word, err);
	case ARGUMENT_VARIABLE_VALUE:
		own_set_variable(target, word);
		return 0;
	case ARGUMENT_PART:
		return fill_part(a, target, word, err);
	case ARGUMENT_ACCESS_FORM:
		return fill_access_form(a, target, word, err);
	case ARGUMENT_OWNING_POOL:
		return fill_owning_pool(a, target, word, m, err);
	case ARGUMENT_POOL:
		return fill_pool(a, target, word, m, err);
	case ARGUMENT_POLICY:
		return fill_policy(a, target, word, err);
	case ARGUMENT_LISTEN:
		return fill_listen(field_at(a->field, target), word, FILL_LISTEN_HOST,
				   err);
	case ARGUMENT_CONTROL:
		return fill_listen(field_at(a->field, target), word, LOCAL_HOST, err);
	case ARGUMENT_SERVER:
		return fill_server(a, target, word, err);
	case ARGUMENT_PEERS:
		return fill_peers(target, word, err);
	case ARGUMENT_NAME_SERVERS:
		return name_servers_add(target, word, err);
	case ARGUMENT_EXPECT:
		return fill_expect(a, target, word, err);
	case ARGUMENT_HOST_MODE:
		return fill_host_mode(a, target, word, err);
	default:
		must(false);
		return -1;
	}
}
