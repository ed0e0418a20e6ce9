#include "store/pending.h"

struct head {
	struct pending_mark mark;
	uint32_t            len;	/* of the answer behind it */
};

void pending_clear(struct pending *p)
{
	for (int i = 0; i < PENDING_PROMISES; i++)
		bytes_fini(&p->queues[i]);
	p->count = 0;
}

void pending_fini(struct pending *p)
{
	pending_clear(p);
}

bool pending_add(struct pending *p, enum pending_promise promise,
		 struct pending_mark mark, struct span answer)
{
	struct head head = {mark, (uint32_t)answer.len};
	char *to = bytes_reserve(&p->queues[promise], sizeof head + answer.len);

	if (to == NULL)
		return false;
	memcpy(to, &head, sizeof head);
	memcpy(to + sizeof head, answer.at, answer.len);
	bytes_added(&p->queues[promise], sizeof head + answer.len);
	p->count++;
	return true;
}

static struct head first_of(const struct bytes *queue)
{
	struct head head;

	memcpy(&head, bytes_first(queue), sizeof head);
	return head;
}

bool pending_first(const struct pending *p, enum pending_promise promise,
		   struct pending_mark reached, struct span *answer)
{
	const struct bytes *queue = &p->queues[promise];

	if (bytes_waiting(queue) == 0)
		return false;
	struct head head = first_of(queue);
	if (head.mark.seq > reached.seq || head.mark.kept > reached.kept)
		return false;
	*answer = (struct span){bytes_first(queue) + sizeof head, head.len};
	return true;
}

void pending_drop(struct pending *p, enum pending_promise promise)
{
	struct bytes *queue = &p->queues[promise];

	bytes_consume(queue, sizeof(struct head) + first_of(queue).len);
	p->count--;
}
