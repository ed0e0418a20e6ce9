#include "forward/sticky.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "forward/cookie.h"
#include "model/live.h"
#include "pick/policy.h"

enum { NAME_DIGITS = 16 };

static uint64_t hash_of_server(const struct sticky *s, uint32_t server)
{
	return hash_pair(s->pool->servers[server].live->seed, s->pool_hash);
}

static int by_hash(const void *a, const void *b)
{
	const struct sticky_name *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

struct sticky *sticky_create(const struct model_pool *pool)
{
	if (pool->sticky_cookie == NULL)
		return NULL;
	size_t names = pool->server_count * sizeof(struct sticky_name);
	struct sticky *s = memory_new(1, sizeof *s + names);
	s->pool = pool;
	s->pool_hash = hash_bytes(pool->name, strlen(pool->name));
	s->count = pool->server_count;
	for (uint32_t i = 0; i < s->count; i++)
		s->names[i] = (struct sticky_name){hash_of_server(s, i), i};
	qsort(s->names, s->count, sizeof s->names[0], by_hash);
	return s;
}

void sticky_destroy(struct sticky *s)
{
	free(s);
}

/* Sixteen lower-case digits, as sticky_write writes them; nothing else is a name. */
static bool read_name(struct span value, uint64_t *hash)
{
	if (value.len != NAME_DIGITS)
		return false;
	*hash = 0;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];
		if (c >= '0' && c <= '9')
			*hash = *hash << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*hash = *hash << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

uint32_t sticky_find(const struct sticky *s, const struct h1_head *head, const char *at)
{
	struct sticky_name wanted;
	struct span value;

	if (!cookie_find(head, at, span_of(s->pool->sticky_cookie), &value) ||
	    !read_name(value, &wanted.hash))
		return PICK_NONE;
	const struct sticky_name *found =
		bsearch(&wanted, s->names, s->count, sizeof s->names[0], by_hash);
	return found != NULL ? found->server : PICK_NONE;
}

size_t sticky_write(const struct sticky *s, uint32_t server, char out[STICKY_LINE_MAX])
{
	char age[32] = "";

	if (s->pool->sticky_s > 0)
		snprintf(age, sizeof age, "; Max-Age=%" PRIu32, s->pool->sticky_s);
	int len = snprintf(out, STICKY_LINE_MAX,
			   "Set-Cookie: %s=%016" PRIx64
			   "; Path=/; HttpOnly; SameSite=Lax%s\r\n",
			   s->pool->sticky_cookie, hash_of_server(s, server), age);
	must(len < STICKY_LINE_MAX);
	return (size_t)len;
}
