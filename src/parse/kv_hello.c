#include "parse/kv_hello.h"

#include "base/must.h"

enum { SPEAKS = 2 };		/* the version */

static const char purpose[] = "balancerd kv 2";		/* and a NUL of C's */

enum {
	PURPOSE_BYTES = sizeof purpose - 1,
	PROVEN_BYTES = PURPOSE_BYTES + 1 + 4 + 2 * KV_NONCE_BYTES,
};

static struct span span_at(const uint8_t *at, size_t len)
{
	return (struct span){(const char *)at, len};
}

static void say(struct kv_hello *h, const struct kv_message *m)
{
	must(kv_wire_size(m) <= sizeof h->out);
	h->out_len = kv_wire_write(m, h->out);
}

static bool has_secret(const struct kv_hello *h)
{
	return h->self.secret.len > 0;
}

static void say_hello(struct kv_hello *h)
{
	const struct kv_self *self = &h->self;

	say(h, &(struct kv_message){
		.type = KV_HELLO, .speaks = SPEAKS, .role = self->role,
		.flags = has_secret(h) ? KV_WANTS_PROOF : 0,
		.lane = self->lane, .lanes = self->lanes,
		.id = self->id, .port = self->port, .newest = self->newest,
		.entries = self->entries,
		.pool_key = span_at(self->pool_key, KV_POOL_KEY_BYTES),
		.nonce = span_at(h->nonce, KV_NONCE_BYTES)});
}

/* Appends to a text, and returns where it ends. */
static uint8_t *put(uint8_t *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	return to + len;
}

/* The proof of one side. That its role and id are in it, and both nonces in its order, is
 * why one side's proof is of no use to the other, nor in any other exchange. */
static void prove(const struct kv_hello *h, bool own, uint8_t mac[KV_MAC_BYTES])
{
	uint8_t text[PROVEN_BYTES], *at = text;
	uint32_t id = own ? h->self.id : h->id;

	at = put(at, purpose, PURPOSE_BYTES);
	*at++ = own ? h->self.role : h->role;
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(id >> shift);
	at = put(at, own ? h->other_nonce : h->nonce, KV_NONCE_BYTES);
	at = put(at, own ? h->nonce : h->other_nonce, KV_NONCE_BYTES);
	must(at == text + sizeof text);
	hmac_sha256(h->self.secret, span_at(text, sizeof text), mac);
}

static void say_proof(struct kv_hello *h)
{
	uint8_t mac[KV_MAC_BYTES];

	prove(h, true, mac);
	say(h, &(struct kv_message){.type = KV_PROOF, .mac = span_at(mac, sizeof mac)});
}

void kv_hello_init(struct kv_hello *h, const struct kv_self *self, bool connector,
		   const uint8_t nonce[KV_NONCE_BYTES])
{
	must(self->secret.len <= KV_SECRET_MAX);
	*h = (struct kv_hello){.self = *self, .connector = connector};
	if (h->self.lanes == 0)
		h->self.lanes = 1;
	memcpy(h->nonce, nonce, KV_NONCE_BYTES);
	if (connector)
		say_hello(h);
}

/* ---- what the other says ---- */

/* Why a HELLO is no good; NULL: it is. */
static const char *fault_of(const struct kv_hello *h, const struct kv_message *m,
			    enum kv_result *kind)
{
	bool wants = m->flags & KV_WANTS_PROOF;

	*kind = KV_PROTOCOL;
	if (m->speaks < SPEAKS)
		return "HELLO is of version 2 or later";
	if (m->role < KV_ROLE_CLIENT || m->role > KV_ROLE_BALANCER)
		return "HELLO has an unknown role";
	if (m->lane >= m->lanes)
		return "HELLO has a lane beyond its number of lanes";
	*kind = KV_UNAUTHORISED;
	if (wants && !has_secret(h))
		return "the other side has a secret, this one has none";
	if (!wants && has_secret(h))
		return "this side has a secret, the other one has none";
	if (memcmp(m->nonce.at, h->nonce, KV_NONCE_BYTES) == 0)
		return "HELLO has this side's own nonce";
	return NULL;
}

static void hear(struct kv_hello *h, const struct kv_message *m)
{
	h->heard = true;
	h->role = m->role;
	h->lane = m->lane;
	h->lanes = m->lanes;
	h->id = m->id;
	h->port = m->port;
	h->newest = m->newest;
	h->entries = m->entries;
	memcpy(h->pool_key, m->pool_key.at, KV_POOL_KEY_BYTES);
	memcpy(h->other_nonce, m->nonce.at, KV_NONCE_BYTES);
}

static enum kv_hello_state take_hello(struct kv_hello *h, const struct kv_message *m,
				      enum kv_result *code, const char **why)
{
	enum kv_result kind;
	const char *fault = fault_of(h, m, &kind);

	if (fault != NULL) {
		*code = kind;
		*why = fault;
		return KV_HELLO_REFUSED;
	}
	hear(h, m);
	if (!h->connector)
		say_hello(h);
	else if (has_secret(h))
		say_proof(h);
	return has_secret(h) ? KV_HELLO_GOES_ON : KV_HELLO_DONE;
}

static enum kv_hello_state take_proof(struct kv_hello *h, const struct kv_message *m,
				      enum kv_result *code, const char **why)
{
	uint8_t mac[KV_MAC_BYTES];

	prove(h, false, mac);
	if (!hmac_equals(mac, (const uint8_t *)m->mac.at)) {
		*code = KV_UNAUTHORISED;
		*why = "the proof is wrong: both sides need the same secret";
		return KV_HELLO_REFUSED;
	}
	h->proved = true;
	if (!h->connector)
		say_proof(h);
	return KV_HELLO_DONE;
}

enum kv_hello_state kv_hello_take(struct kv_hello *h, const struct kv_message *m,
				  enum kv_result *code, const char **why)
{
	h->out_len = 0;
	if (m->type == KV_HELLO && !h->heard)
		return take_hello(h, m, code, why);
	if (m->type == KV_PROOF && h->heard && has_secret(h) && !h->proved)
		return take_proof(h, m, code, why);
	*code = has_secret(h) ? KV_UNAUTHORISED : KV_PROTOCOL;
	if (m->type == KV_ERROR)
		*why = "the other side has refused";
	else if (!h->heard)
		*why = "HELLO comes first";
	else if (has_secret(h) && !h->proved)
		*why = "a proof comes first";
	else
		*why = "HELLO and PROOF come once";
	return KV_HELLO_REFUSED;
}
