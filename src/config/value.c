#include "config/value.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "base/address.h"
#include "base/span.h"
#include "base/text.h"
#include "model/model.h"
#include "model/own.h"

enum {
	IMAGE_MAX = 255,
	NUMBER_DIGITS = 4,		/* of OWN_SERVERS_MAX */
};

static bool is_prime(uint64_t value)
{
	for (uint64_t divisor = 2; divisor * divisor <= value; divisor++)
		if (value % divisor == 0)
			return false;
	return value >= 2;
}

int value_check_prime(uint64_t value, struct err *err)
{
	uint64_t distance = 0;

	if (is_prime(value))
		return 0;
	while (!is_prime(value + distance) &&
	       (distance > value || !is_prime(value - distance)))
		distance++;
	return err_set(err, "\"%llu\" is no prime; the nearest one is %llu",
		       (unsigned long long)value,
		       (unsigned long long)(is_prime(value + distance)
						    ? value + distance
						    : value - distance));
}

static bool is_letter_or_digit(char c)
{
	char lower = span_lower(c);
	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

static bool consists_of_name_bytes(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_letter_or_digit(word[i]) && strchr("-_.", word[i]) == NULL)
			return false;
	return len > 0;
}

int value_check_name(const char *word, struct err *err)
{
	size_t len = strlen(word);

	if (!consists_of_name_bytes(word, len))
		return err_set(err,
			       "%s is no name; expected letters, digits, \"-\", \"_\" "
			       "and \".\"",
			       quote(word).text);
	if (len > MODEL_NAME_MAX)
		return err_set(err, "%s is too long; expected a name of at most %d bytes",
			       quote(word).text, MODEL_NAME_MAX);
	return 0;
}

int value_check_token(const char *word, struct err *err)
{
	bool good = *word != '\0';

	for (const char *c = word; *c != '\0'; c++)
		good &= is_letter_or_digit(*c) || strchr("!#$%&'*+-.^_`|~", *c) != NULL;
	if (!good)
		return err_set(err, "%s is no name of a header field or a cookie",
			       quote(word).text);
	if (strlen(word) > MODEL_TOKEN_MAX)
		return err_set(err, "%s is too long; expected a name of at most %d bytes",
			       quote(word).text, MODEL_TOKEN_MAX);
	return 0;
}

int value_check_query_name(const char *word, struct err *err)
{
	bool good = *word != '\0';

	for (const char *c = word; *c != '\0'; c++)
		good &= *c > ' ' && *c <= '~' && strchr("&=#", *c) == NULL;
	if (!good)
		return err_set(err,
			       "%s is no name of an argument; write it as it stands in "
			       "a URL, up to the \"=\"",
			       quote(word).text);
	return 0;
}

int value_check_file(const char *word, struct err *err)
{
	if (*word == '\0')
		return err_set(err, "an empty word; expected the name of a file");
	return 0;
}

int value_check_path(const char *word, bool with_query, struct err *err)
{
	if (*word != '/')
		return err_set(err, "%s is no path; expected one that begins with \"/\"",
			       quote(word).text);
	for (const char *c = word; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~')
			return err_set(err,
				       "%s has a byte that no URL may have; write it as "
				       "%%%02X",
				       quote(word).text, (unsigned char)*c);
		if (*c == '#' || (*c == '?' && !with_query))
			return err_set(err, "%s has a \"%c\"; expected a path alone",
				       quote(word).text, *c);
	}
	return 0;
}

/* Whether [at, at + len) is what may stand before a port. */
static bool is_host(const char *at, size_t len)
{
	char numeric[INET6_ADDRSTRLEN];
	struct in6_addr ip6;

	if (len > 2 && at[0] == '[' && at[len - 1] == ']') {
		if (len - 2 >= sizeof numeric)
			return false;
		memcpy(numeric, at + 1, len - 2);
		numeric[len - 2] = '\0';
		return inet_pton(AF_INET6, numeric, &ip6) == 1;
	}
	return len <= ADDRESS_HOST_MAX && consists_of_name_bytes(at, len);
}

int value_check_host(const char *word, bool with_port, struct err *err)
{
	const char *bracket = strrchr(word, ']');
	const char *colon = strchr(bracket != NULL ? bracket : word, ':');
	size_t len = colon != NULL ? (size_t)(colon - word) : strlen(word);
	uint64_t port = 1;

	if (colon != NULL && !with_port && is_host(word, len))
		return err_set(err,
			       "%s has a port; expected a host name alone, which fits on "
			       "every port",
			       quote(word).text);
	if (!is_host(word, len))
		return err_set(err, "%s is no host name", quote(word).text);
	if (colon != NULL &&
	    (!span_to_u64(span_of(colon + 1), &port) || port < 1 || port > 65535))
		return err_set(err, "%s has no port from 1 to 65535", quote(word).text);
	return 0;
}

/* RFC 1035, section 2.3.4: labels of 1 to 63 bytes. */
static bool are_labels(const char *name)
{
	enum { LABEL_MAX = 63 };

	for (const char *at = name; ; ) {
		size_t len = strcspn(at, ".");
		if (len == 0 || len > LABEL_MAX || !consists_of_name_bytes(at, len))
			return false;
		if (at[len] == '\0')
			return true;
		at += len + 1;
	}
}

int value_check_service(const char *word, struct err *err)
{
	if (strchr(word, ':') != NULL)
		return err_set(err,
			       "%s has a port; SRV records say the port of each server: "
			       "expected a name alone, such as _http._tcp.example.com",
			       quote(word).text);
	if (!are_labels(word) || strlen(word) > ADDRESS_HOST_MAX)
		return err_set(err,
			       "%s is no name of SRV records; expected one like "
			       "_http._tcp.example.com or web.service.consul",
			       quote(word).text);
	return 0;
}

int value_check_host_pattern(const char *word, struct err *err)
{
	const char *star = strchr(word, '*');

	if (star == NULL)
		return value_check_host(word, false, err);
	if (star != word || word[1] != '.' || strchr(word + 1, '*') != NULL)
		return err_set(err,
			       "%s has a \"*\" that is not its first label; expected a "
			       "pattern like *.example.com",
			       quote(word).text);
	return value_check_host(word + 2, false, err);
}

int value_check_image(const char *word, struct err *err)
{
	bool good = is_letter_or_digit(*word);

	for (const char *c = word; *c != '\0'; c++)
		good &= is_letter_or_digit(*c) || strchr("-_./:@", *c) != NULL;
	if (!good)
		return err_set(err,
			       "%s is no name of an image; expected one like app, "
			       "app:1.2 or registry.example.com/team/app",
			       quote(word).text);
	if (strlen(word) > IMAGE_MAX)
		return err_set(err, "%s is too long; expected at most %d bytes",
			       quote(word).text, IMAGE_MAX);
	return 0;
}

/* What Docker takes as a name. */
static int check_object_name(const char *word, size_t max, struct err *err)
{
	if (!is_letter_or_digit(*word) || !consists_of_name_bytes(word, strlen(word)))
		return err_set(err,
			       "%s is no name; expected a letter or a digit, then "
			       "letters, digits, \"-\", \"_\" and \".\"",
			       quote(word).text);
	if (strlen(word) > max)
		return err_set(err, "%s is too long; expected at most %zu bytes",
			       quote(word).text, max);
	return 0;
}

int value_check_network(const char *word, struct err *err)
{
	/* Servers have no address, or no name, in those that are always there. */
	static const char *const docker_has[] = {"bridge", "default", "host", "none"};

	if (check_object_name(word, MODEL_NAME_MAX, err) != 0)
		return -1;
	for (size_t i = 0; i < sizeof docker_has / sizeof *docker_has; i++)
		if (strcmp(word, docker_has[i]) == 0)
			return err_set(err,
				       "%s is one of Docker's own networks, where "
				       "servers are not found by their names; write "
				       "another name, it is made when it is missing",
				       quote(word).text);
	return 0;
}

int value_check_folder(const char *word, struct err *err)
{
	if (*word != '/')
		return err_set(err,
			       "%s is no path from the root; expected one that begins "
			       "with \"/\"",
			       quote(word).text);
	return 0;
}

int value_check_engine(const char *word, struct err *err)
{
	struct sockaddr_un un;
	const char *path = strchr(word, '/');

	if (strncmp(word, "unix:", 5) == 0 && path != NULL)
		return err_set(err, "%s has a \"unix:\" before its path; write: %s",
			       quote(word).text, path + strspn(path, "/") - 1);
	if (value_check_folder(word, err) != 0)
		return -1;
	if (strlen(word) >= sizeof un.sun_path)
		return err_set(err,
			       "%s is too long; the path of a socket has at most %zu "
			       "bytes",
			       quote(word).text, sizeof un.sun_path - 1);
	return 0;
}

int value_check_server_prefix(const char *word, struct err *err)
{
	return check_object_name(word, OWN_NAME_MAX - NUMBER_DIGITS, err);
}

int value_check_variable(const char *word, struct err *err)
{
	if (strcmp(word, "PORT") == 0 || strcmp(word, "SERVER_ID") == 0)
		return err_set(err, "%s is set by the balancer, for each server as it is",
			       quote(word).text);
	if (strchr(word, '=') != NULL)
		return err_set(err, "%s has a \"=\"; write the name and then the value: "
			       "env NAME VALUE", quote(word).text);
	if ((*word >= '0' && *word <= '9') ||
	    !consists_of_name_bytes(word, strlen(word)))
		return err_set(err,
			       "%s is no name of a variable; expected letters, digits, "
			       "\"_\", \"-\" and \".\", no digit at first",
			       quote(word).text);
	return 0;
}
