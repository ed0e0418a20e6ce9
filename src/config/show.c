#include "config/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/value.h"
#include "config/fill.h"
#include "config/name_servers.h"
#include "config/own_words.h"
#include "config/peers.h"
#include "config/tree.h"
#include "model/access_form.h"
#include "pick/policy.h"

static const void *field_at(struct field field, const void *target)
{
	return (const char *)target + field.offset;
}

/* The words for a number of an argument that has choices; false: none stands for
 * it. */
static bool show_choices(const struct argument *a, uint64_t value, FILE *out)
{
	const char *space = "";
	bool any = false;

	for (const struct choice *c = a->choices; c != NULL && c->word != NULL; c++) {
		bool bit = a->kind == ARGUMENT_CHOICES && (c->value & value) != 0;
		if (c->value != value && !bit)
			continue;
		fprintf(out, "%s%s", space, c->word);
		space = " ";
		any = true;
	}
	return any;
}

static bool show_number(const struct argument *a, const void *target, FILE *out)
{
	uint64_t value = fill_read_number(a->field, target);
	enum value_kind kind;

	if (show_choices(a, value, out))
		return true;
	if (!fill_value_kind(a, &kind) || value < a->min || value > a->max)
		return false;
	fputs(value_text(kind, value).text, out);
	return true;
}

static bool show_word(const struct argument *a, const void *target, FILE *out)
{
	const char *text;

	memcpy(&text, field_at(a->field, target), sizeof text);
	if (text != NULL)
		tree_print_word(text, out);
	return text != NULL;
}

static bool show_socket(const struct argument *a, const void *target, FILE *out)
{
	const char *path;
	char *word;

	memcpy(&path, field_at(a->field, target), sizeof path);
	if (path == NULL)
		return false;
	must(asprintf(&word, "unix:%s", path) > 0);
	tree_print_word(word, out);
	free(word);
	return true;
}

static bool show_address(const struct argument *a, const void *target, FILE *out)
{
	const struct address *address = field_at(a->field, target);

	if (*address->text == '\0')
		return false;
	tree_print_word(address->text, out);
	return true;
}

static bool show_pool(const struct argument *a, const void *target, const struct model *m,
		      FILE *out)
{
	uint64_t index = fill_read_number(a->field, target);

	must(index < m->pool_count);
	tree_print_word(m->pools[index].name, out);
	return true;
}

static bool show_owning_pool(const struct argument *a, const void *target,
			     const struct model *m, FILE *out)
{
	uint64_t number = fill_read_number(a->field, target);

	must(number <= m->pool_count);
	if (number > 0)
		tree_print_word(m->pools[number - 1].name, out);
	return number > 0;
}

static bool show_policy(const struct argument *a, const void *target, FILE *out)
{
	const struct policy *policy;

	memcpy(&policy, field_at(a->field, target), sizeof policy);
	fputs(policy->name, out);
	return true;
}

static bool show_expect(const struct argument *a, const void *target, FILE *out)
{
	const struct model_check *check = field_at(a->field, target);

	if (check->expect == EXPECT_LOAD)
		fputs("load", out);
	else if (check->status_min == check->status_max)
		fprintf(out, "%u", check->status_min);
	else
		fprintf(out, "%u-%u", check->status_min, check->status_max);
	return true;
}

static bool show_host_mode(const struct argument *a, const void *target, FILE *out)
{
	const struct model_pool *p = target;

	if (p->host_mode != HOST_FIXED)
		return show_choices(a, p->host_mode, out);
	tree_print_word(p->host, out);
	return true;
}

static bool show_peers(const void *target, FILE *out)
{
	const struct model_listener *l = target;

	for (uint32_t i = 0; i < l->proxy_peer_count; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "",
			peers_text(&l->proxy_peers[i]).text);
	return l->proxy_peer_count > 0;
}

static bool show_part(const struct argument *a, const void *target, FILE *out)
{
	uint64_t of = fill_read_number(a->field, target);

	if (!show_choices(a, of, out))
		fprintf(out, "1/%llu", (unsigned long long)of);
	return true;
}

static bool show_access_form(const struct argument *a, const void *target, FILE *out)
{
	const struct access_form *form;

	memcpy(&form, field_at(a->field, target), sizeof form);
	if (form != NULL)
		tree_print_word(form->text, out);
	return form != NULL;
}

bool show_field(const struct argument *a, const void *target, const struct model *m,
		FILE *out)
{
	if (fill_value_kind(a, &(enum value_kind){0}))
		return show_number(a, target, out);
	if (fill_is_text(a))
		return show_word(a, target, out);
	switch ((int)a->kind) {		/* the others */
	case ARGUMENT_CHOICE:
	case ARGUMENT_CHOICES:
		return show_number(a, target, out);
	case ARGUMENT_FLAG:
		return fill_read_number(a->field, target) != 0;
	case ARGUMENT_COMMAND:
		return own_show_command(target, out);
	case ARGUMENT_VARIABLE:
		return own_show_name(*(char *const *)target, out);
	case ARGUMENT_VARIABLE_VALUE:
		return own_show_value(*(char *const *)target, out);
	case ARGUMENT_PART:
		return show_part(a, target, out);
	case ARGUMENT_ACCESS_FORM:
		return show_access_form(a, target, out);
	case ARGUMENT_OWNING_POOL:
		return show_owning_pool(a, target, m, out);
	case ARGUMENT_SOCKET:
		return show_socket(a, target, out);
	case ARGUMENT_POOL:
		return show_pool(a, target, m, out);
	case ARGUMENT_POLICY:
		return show_policy(a, target, out);
	case ARGUMENT_LISTEN:
	case ARGUMENT_CONTROL:
	case ARGUMENT_SERVER:
		return show_address(a, target, out);
	case ARGUMENT_PEERS:
		return show_peers(target, out);
	case ARGUMENT_NAME_SERVERS:
		return name_servers_show(target, out);
	case ARGUMENT_EXPECT:
		return show_expect(a, target, out);
	case ARGUMENT_HOST_MODE:
		return show_host_mode(a, target, out);
	default:
		must(false);
		return false;
	}
}

char *show_text(const struct argument *a, const void *target, const struct model *m)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	must(out != NULL);
	bool shown = show_field(a, target, m, out);
	must(fclose(out) == 0);
	if (shown)
		return text;
	free(text);
	return NULL;
}
