#include "config/name_servers.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

/* Completes an address without a port, if it is one. */
static void add_port(const char *word, char *text, size_t size)
{
	struct in6_addr ip;

	if (inet_pton(AF_INET, word, &ip) == 1)
		text_append(text, size, "%s:53", word);
	else if (inet_pton(AF_INET6, word, &ip) == 1)
		text_append(text, size, "[%s]:53", word);
}

int name_servers_add(struct model *m, const char *word, struct err *err)
{
	char text[ADDRESS_TEXT_MAX] = "";
	struct address a, *all = m->name_servers;

	add_port(word, text, sizeof text);
	if (address_parse(&a, *text != '\0' ? text : word, "127.0.0.1", err) != 0)
		return -1;
	if (a.len == 0 || a.any.sa_family == AF_UNIX)
		return err_set(err, "%s is no numeric address; a name server needs one, for "
			       "example 10.0.0.2, or 127.0.0.1:8600", quote(word).text);
	for (uint32_t i = 0; i < m->name_server_count; i++)
		if (address_equals(&all[i], &a))
			return err_set(err, "%s is given twice", quote(word).text);
	if (m->name_server_count == MODEL_NAME_SERVERS_MAX)
		return err_set(err, "more than %d name servers", MODEL_NAME_SERVERS_MAX);
	all[m->name_server_count++] = a;
	return 0;
}

bool name_servers_show(const struct model *m, FILE *out)
{
	for (uint32_t i = 0; i < m->name_server_count; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", m->name_servers[i].text);
	return m->name_server_count > 0;
}
