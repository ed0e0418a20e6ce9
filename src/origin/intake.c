#include "origin/intake.h"

void intake_init(struct intake *i, const struct h1_head *head)
{
	*i = (struct intake){.kind = head->body};
	if (head->body == H1_BODY_LENGTH)
		i->left = head->content_length;
	i->over = i->kind != H1_BODY_CHUNKED && i->left == 0;
}

static enum h1_result take_counted(struct intake *i, struct buf *in, size_t max,
				   struct span *payload)
{
	size_t n = buf_waiting(in);

	if (n > max)
		n = max;
	if (n > i->left)
		n = (size_t)i->left;
	*payload = (struct span){buf_at(in), n};
	buf_consume(in, n);
	i->left -= n;
	return i->left == 0 ? H1_DONE : H1_MORE;
}

static enum h1_result take_chunked(struct intake *i, struct buf *in, size_t max,
				   struct span *payload)
{
	enum h1_result result = H1_MORE;

	while (result == H1_MORE && payload->len == 0 && buf_waiting(in) > 0) {
		size_t n = buf_waiting(in) < max ? buf_waiting(in) : max;
		n = h1_chunked_next(&i->chunked, buf_at(in), n, payload, &result);
		buf_consume(in, n);
	}
	return result;
}

enum h1_result intake_take(struct intake *i, struct buf *in, size_t max,
			   struct span *payload)
{
	enum h1_result result;

	*payload = (struct span){NULL, 0};
	if (i->over)
		return H1_DONE;
	if (buf_waiting(in) == 0)
		return H1_MORE;
	if (i->kind == H1_BODY_CHUNKED)
		result = take_chunked(i, in, max, payload);
	else
		result = take_counted(i, in, max, payload);
	i->over = result == H1_DONE;
	return result;
}
