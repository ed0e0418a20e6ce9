#include "kv/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum size { SIZE_SMALL, SIZE_MEDIUM, SIZE_HEAP };

void kv_requests_init(struct kv_requests *all)
{
	slab_init(&all->small, KV_REQUEST_SMALL);
	slab_init(&all->medium, KV_REQUEST_MEDIUM);
	all->count = 0;
}

void kv_requests_fini(struct kv_requests *all)
{
	must(all->count == 0);
	slab_fini(&all->small);
	slab_fini(&all->medium);
}

static struct kv_request *take(struct kv_requests *all, size_t size)
{
	struct kv_request *r;
	enum size kind = size <= KV_REQUEST_SMALL  ? SIZE_SMALL
		       : size <= KV_REQUEST_MEDIUM ? SIZE_MEDIUM
						   : SIZE_HEAP;

	switch (kind) {
	case SIZE_SMALL:
		r = slab_get(&all->small);
		break;
	case SIZE_MEDIUM:
		r = slab_get(&all->medium);
		break;
	case SIZE_HEAP:
	default:
		r = malloc(size);
		break;
	}
	if (r == NULL)
		return NULL;
	memset(r, 0, sizeof *r);
	r->size = (uint8_t)kind;
	all->count++;
	return r;
}

struct kv_request *kv_request_create(struct kv_requests *all, struct span key,
				     struct span value)
{
	struct kv_request *r = take(all, sizeof *r + key.len + value.len);

	if (r == NULL)
		return NULL;
	list_init(&r->waiting);
	r->key_len = (uint16_t)key.len;
	r->value_len = (uint32_t)value.len;
	if (key.len > 0)
		memcpy(r->bytes, key.at, key.len);
	if (value.len > 0)
		memcpy(r->bytes + key.len, value.at, value.len);
	return r;
}

void kv_request_destroy(struct kv_requests *all, struct kv_request *r)
{
	free(r->answer);
	all->count--;
	switch ((enum size)r->size) {
	case SIZE_SMALL:
		slab_put(&all->small, r);
		break;
	case SIZE_MEDIUM:
		slab_put(&all->medium, r);
		break;
	case SIZE_HEAP:
		free(r);
		break;
	}
}

void kv_request_answer(struct kv_request *r, enum kv_result result, struct span answer)
{
	r->result = (uint8_t)result;
	r->answer_len = 0;
	if (answer.len == 0)
		return;
	char *copy = realloc(r->answer, answer.len);
	if (copy == NULL) {
		r->result = KV_BUSY;
		return;
	}
	memcpy(copy, answer.at, answer.len);
	r->answer = copy;
	r->answer_len = (uint32_t)answer.len;
}
