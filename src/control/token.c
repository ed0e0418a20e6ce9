#include "control/token.h"

#include <string.h>

#include "base/secret.h"

/* What may be in a token (RFC 6750, section 2.1). */
static bool is_token_byte(char c)
{
	char lower = span_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~+/=", c) != NULL);
}

static int load(char token[TOKEN_MAX], const char *path, struct err *err)
{
	char line[TOKEN_MAX];
	size_t len;

	if (secret_read(path, "token", line, sizeof line, &len, err) != 0)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (!is_token_byte(line[i]))
			return err_set(err, "the first line of the token file %s has to be "
				       "letters, digits and -._~+/= only", path);
	memset(token, 0, TOKEN_MAX);
	memcpy(token, line, len);
	return 0;
}

int tokens_load(struct tokens *t, const struct model_control *c, struct err *err)
{
	struct tokens new = {{0}, {0}};

	if (load(new.change, c->token_path, err) != 0)
		return -1;
	if (c->read_token_path != NULL && load(new.read, c->read_token_path, err) != 0)
		return -1;
	if (memcmp(new.change, new.read, TOKEN_MAX) == 0)
		return err_set(err, "the token files %s and %s have the same token: who "
			       "may only look could change everything",
			       c->token_path, c->read_token_path);
	*t = new;
	return 0;
}

/* Looks at every byte, whatever the first ones say. */
static bool is_same(const char a[TOKEN_MAX], const char b[TOKEN_MAX])
{
	volatile unsigned char difference = 0;

	for (size_t i = 0; i < TOKEN_MAX; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

enum role tokens_role(const struct tokens *t, struct span authorization)
{
	static const struct span scheme = {"Bearer ", 7};
	char given[TOKEN_MAX] = {0};

	if (authorization.len <= scheme.len ||
	    !span_equals_nocase((struct span){authorization.at, scheme.len}, scheme))
		return ROLE_NONE;
	authorization.at += scheme.len;
	authorization.len -= scheme.len;
	while (authorization.len > 0 && authorization.at[0] == ' ') {
		authorization.at++;
		authorization.len--;
	}
	if (authorization.len == 0 || authorization.len > TOKEN_MAX ||
	    authorization.at[0] == '\0')
		return ROLE_NONE;
	memcpy(given, authorization.at, authorization.len);
	bool may_change = is_same(given, t->change);
	bool may_read = is_same(given, t->read);
	if (may_change)
		return ROLE_CHANGE;
	return may_read ? ROLE_READ : ROLE_NONE;
}
