#include "control/ask.h"

#include "base/expected.h"
#include "base/text.h"
#include "model/model.h"

struct span ask_field_of(const struct h1_head *head, const char *bytes, const char *name)
{
	for (uint32_t i = 0; i < head->field_count; i++)
		if (span_equals_nocase(h1_name_span(bytes, &head->fields[i]),
				       span_of(name)))
			return h1_value_span(bytes, &head->fields[i]);
	return SPAN("");
}

const struct model_pool *ask_pool(const struct ask *ask, struct reply *r)
{
	const struct model *m = view_model(ask->view);
	int at = model_pool_find(m, span_of(ask->pool));
	struct expected known;

	if (at >= 0)
		return &m->pools[at];
	expected_init(&known, ask->pool);
	for (uint32_t i = 0; i < m->pool_count; i++)
		expected_add(&known, m->pools[i].name);
	reply_error(r, REPLY_POOL_UNKNOWN, NULL, "there is no pool %s; %s",
		    quote(ask->pool).text,
		    m->pool_count > 0 ? expected_text(&known).text : "there is none");
	return NULL;
}

const struct model_server *ask_server(const struct ask *ask, const struct model_pool *p,
				      struct reply *r)
{
	struct expected known;
	struct address address;
	struct err err;

	if (address_parse(&address, ask->server, "127.0.0.1", &err) != 0) {
		reply_error(r, REPLY_BAD_REQUEST, NULL, "%s", err.text);
		return NULL;
	}
	const struct model_server *s = model_server_find(p, &address);
	if (s != NULL)
		return s;
	/* Only the list: of two addresses each is near the other. */
	expected_init(&known, "");
	for (uint32_t i = 0; i < p->server_count; i++)
		expected_add(&known, p->servers[i].address.text);
	reply_error(r, REPLY_SERVER_UNKNOWN, NULL, "pool %s has no server %s; it has %s",
		    p->name, address.text, known.count > 0 ? known.list : "none");
	return NULL;
}
