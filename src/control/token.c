#include "control/token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What may be in a token (RFC 6750, section 2.1). */
static bool is_token_byte(char c)
{
	char lower = span_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~+/=", c) != NULL);
}

static int check_file(int fd, const char *path, struct err *err)
{
	struct stat about;

	if (fstat(fd, &about) != 0)
		return err_sys(err, "cannot look at the token file %s", path);
	if (!S_ISREG(about.st_mode))
		return err_set(err, "the token file %s is no regular file", path);
	if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_set(err, "the token file %s is open to others than its owner; "
			       "run: chmod 600 %s", path, path);
	return 0;
}

/* Takes the first line out of what was read of the file. */
static int take_line(char token[TOKEN_MAX], const char *bytes, size_t len,
		     const char *path, struct err *err)
{
	size_t end = 0;

	while (end < len && is_token_byte(bytes[end]))
		end++;
	if (end < len && bytes[end] == '\r' && end + 1 < len && bytes[end + 1] == '\n')
		len = end;
	if (end < len && bytes[end] != '\n')
		return err_set(err, "the first line of the token file %s has to be "
			       "letters, digits and -._~+/= only", path);
	if (end == 0)
		return err_set(err, "the first line of the token file %s is empty", path);
	if (end > TOKEN_MAX)
		return err_set(err, "the first line of the token file %s is longer than "
			       "%d bytes", path, TOKEN_MAX);
	memset(token, 0, TOKEN_MAX);
	memcpy(token, bytes, end);
	return 0;
}

static int load(char token[TOKEN_MAX], const char *path, struct err *err)
{
	char bytes[TOKEN_MAX + 2];	/* a line that is too long shows it */
	int result = -1;
	/* A pipe or a device must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(err, "cannot open the token file %s", path);
	if (check_file(fd, path, err) != 0)
		goto close_file;
	ssize_t len = read(fd, bytes, sizeof bytes);
	if (len < 0)
		err_sys(err, "cannot read the token file %s", path);
	else
		result = take_line(token, bytes, (size_t)len, path, err);
close_file:
	close(fd);
	return result;
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
