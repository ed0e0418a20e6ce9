#include "client/asking.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "client/words.h"

static const char *const verb_names[KV_VERBS] = {
	[KV_VERB_GET] = "get", [KV_VERB_SET] = "put", [KV_VERB_DELETE] = "del",
	[KV_VERB_EXPIRE] = "expire", [KV_VERB_HEAD] = "ttl", [KV_VERB_COUNT] = "count",
	[KV_VERB_STATS] = "stats",
};

void asking_init(struct asking *x, uint32_t depth)
{
	uint32_t rounded = 1;

	must(depth >= 1 && depth <= ASKING_DEPTH_MAX);
	while (rounded < depth)
		rounded *= 2;
	*x = (struct asking){.depth = rounded};
	x->slots = memory_new(rounded, sizeof *x->slots);
}

void asking_fini(struct asking *x)
{
	free(x->slots);
	x->slots = NULL;
}

static struct asking_slot *slot_of(struct asking *x, uint32_t tag)
{
	return &x->slots[tag & (x->depth - 1)];
}

static bool has_key(uint8_t verb)
{
	return verb != KV_VERB_COUNT && verb != KV_VERB_STATS;
}

int asking_check(const struct request *r, uint8_t version, struct err *err)
{
	bool simple = r->verb == KV_VERB_GET || r->verb == KV_VERB_SET;

	if (version == 1 && !simple)
		return err_set(err, "version 1 of the protocol has no %s",
			       verb_names[r->verb]);
	if (version == 1 && (r->flags != 0 || r->expires_ms != 0))
		return err_set(err, "version 1 of the protocol has neither times nor "
				    "conditions; write: put KEY VALUE");
	if (has_key(r->verb) && r->key.len == 0)
		return err_set(err, "a key has at least one byte");
	if (r->key.len > KV_KEY_MAX)
		return err_set(err, "the key has %zu bytes, %d are the most", r->key.len,
			       KV_KEY_MAX);
	if (r->key.len + r->value.len > KV_ENTRY_MAX)
		return err_set(err, "key and value have %zu bytes, %d are the most",
			       r->key.len + r->value.len, KV_ENTRY_MAX);
	return 0;
}

uint32_t asking_ask(struct asking *x, uint8_t version, const struct request *r,
		      struct kv_message *m)
{
	uint32_t tag = x->next;

	must(asking_has_room(x));
	*slot_of(x, tag) = (struct asking_slot){
		.verb = r->verb, .key_hash = hash_bytes(r->key.at, r->key.len),
	};
	x->next++;
	x->waiting++;
	*m = (struct kv_message){.key = r->key, .value = r->value};
	if (version == 1) {
		m->type = r->verb == KV_VERB_SET ? KV_PUT : KV_GET;
		return tag;
	}
	m->type = KV_OP;
	m->id = tag;
	m->verb = r->verb;
	m->flags = r->flags;
	m->expires_ms = r->expires_ms;
	return tag;
}

static enum asking_result answered(struct asking *x, uint32_t tag,
				     const struct kv_message *m, struct answer *answer)
{
	slot_of(x, tag)->answered = true;
	x->waiting--;
	while (x->first != x->next && slot_of(x, x->first)->answered)
		x->first++;
	*answer = (struct answer){
		.result = m->result, .value = m->value,
		.version = m->type == KV_REPLY ? m->version : 0,
		.expires_ms = m->type == KV_REPLY ? m->expires_ms : 0,
	};
	if (m->type == KV_PUT_RESPONSE)
		answer->value.len = 0;
	return ASKING_ANSWER;
}

static enum asking_result malformed(struct err *why, const struct kv_message *m,
				      const char *what)
{
	err_set(why, "%s: %s", kv_wire_type_name(m->type), what);
	return ASKING_MALFORMED;
}

/* An answer of version 1: it is the oldest request's, or wrong. */
static enum asking_result take_oldest(struct asking *x, const struct kv_message *m,
					struct answer *answer, struct err *why)
{
	const struct asking_slot *s = slot_of(x, x->first);
	uint8_t verb = m->type == KV_PUT_RESPONSE ? KV_VERB_SET : KV_VERB_GET;

	if (s->verb != verb)
		return malformed(why, m, "something else was asked");
	if (s->key_hash != hash_bytes(m->key.at, m->key.len))
		return malformed(why, m, "it is for another key than was asked for");
	return answered(x, x->first, m, answer);
}

static enum asking_result take_error(struct asking *x, const struct kv_message *m,
				       struct answer *answer, struct err *why)
{
	if (x->waiting > 0)
		return answered(x, x->first, m, answer);
	if (m->value.len == 0)
		err_set(why, "%s", kv_wire_result_text(m->result));
	else
		err_set(why, "%s", words_text(m->value).text);
	return ASKING_REFUSED;
}

enum asking_result asking_take(struct asking *x, const struct kv_message *m,
				   uint32_t *tag, struct answer *answer, struct err *why)
{
	*tag = x->first;
	switch (m->type) {
	case KV_REPLY:
		*tag = m->id;
		if (!asking_is_pending(x, m->id))
			return malformed(why, m, "nothing of this tag was asked");
		return answered(x, m->id, m, answer);
	case KV_PUT_RESPONSE:
	case KV_GET_RESPONSE:
		if (x->waiting == 0)
			return malformed(why, m, "nothing was asked");
		return take_oldest(x, m, answer, why);
	case KV_ERROR:
		return take_error(x, m, answer, why);
	case KV_SHUTDOWN:
		return ASKING_STOPPING;
	default:
		return malformed(why, m, "no balancer says this to a client");
	}
}

void asking_reset(struct asking *x)
{
	x->first = x->next;
	x->waiting = 0;
}
