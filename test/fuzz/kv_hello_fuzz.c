/* HELLO and PROOF: with a secret nobody gets through without the proof that a plain second
 * computation makes, without one nobody is proved; what is to be sent is always messages.
 *
 * The first byte says which side is played, whether there is a secret, and whether a proof
 * whose mac begins with a zero is replaced by the right one. Messages follow. */
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "parse/kv_hello.h"

enum { CONNECTOR = 1, SECRET = 2, KNOWS_IT = 4 };

static const char secret[] = "it is said to nobody";

struct play {
	struct kv_hello h;
	unsigned flags;
	struct kv_message hello;	/* the other's, once it was taken */
	bool heard;
};

/* The mac of the other side, put together without the code that is tried. */
static void plain_mac(const struct play *p, uint8_t mac[HMAC_BYTES])
{
	char text[14 + 1 + 4 + 16 + 16] = "balancerd kv 2";
	uint32_t id = p->hello.id;

	text[14] = (char)p->hello.role;
	text[15] = (char)(id / 16777216);
	text[16] = (char)(id / 65536 % 256);
	text[17] = (char)(id / 256 % 256);
	text[18] = (char)(id % 256);
	memset(text + 19, 'n', 16);			/* this side's nonce */
	memcpy(text + 35, p->hello.nonce.at, 16);
	hmac_sha256(SPAN("it is said to nobody"), (struct span){text, sizeof text}, mac);
}

static void check_out(const struct play *p)
{
	struct kv_message m;
	size_t used = 0;
	const char *why;

	must(p->h.out_len <= KV_HELLO_OUT_MAX);
	if (p->h.out_len == 0)
		return;
	must(kv_wire_parse(&m, p->h.out, p->h.out_len, &used, &why) == KV_PARSE_DONE);
	must(used == p->h.out_len && (m.type == KV_HELLO || m.type == KV_PROOF));
	must(m.type != KV_PROOF || (p->flags & SECRET && p->heard));
	/* Who accepts shows nothing of the secret before the other has. */
	must(m.type != KV_PROOF || p->flags & CONNECTOR || p->h.proved);
}

/* False: the exchange is over. */
static bool take(struct play *p, struct kv_message *m)
{
	uint8_t right[HMAC_BYTES] = {0};
	enum kv_result code = KV_FINE;
	const char *why = NULL;
	bool has_secret = p->flags & SECRET, is_right = false;

	if (m->type == KV_PROOF && p->heard) {
		plain_mac(p, right);
		if (p->flags & KNOWS_IT && m->mac.at[0] == 0)
			m->mac.at = (const char *)right;
		is_right = has_secret && memcmp(m->mac.at, right, sizeof right) == 0;
	}
	enum kv_hello_state state = kv_hello_take(&p->h, m, &code, &why);
	if (state == KV_HELLO_REFUSED) {
		must(why != NULL && (code == KV_PROTOCOL || code == KV_UNAUTHORISED));
		must(!is_right && p->h.out_len == 0);
		return false;
	}
	if (m->type == KV_HELLO && !p->heard) {
		p->hello = *m;
		p->heard = true;
		must(p->h.id == m->id && p->h.role == m->role && p->h.lane < p->h.lanes);
	}
	must(p->heard && p->h.proved == is_right);
	must((state == KV_HELLO_DONE) == (!has_secret || is_right));
	check_out(p);
	return state == KV_HELLO_GOES_ON;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t nonce[KV_NONCE_BYTES];
	struct kv_self self = {.role = KV_ROLE_BALANCER, .id = 0x01020304};
	struct play p = {.flags = size > 0 ? data[0] : 0};
	struct kv_message m;
	size_t used = size > 0;
	const char *why;

	memset(nonce, 'n', sizeof nonce);
	if (p.flags & SECRET)
		self.secret = (struct span){secret, sizeof secret - 1};
	kv_hello_init(&p.h, &self, p.flags & CONNECTOR, nonce);
	must((p.h.out_len > 0) == (p.flags & CONNECTOR));
	check_out(&p);
	do {
		data += used;
		size -= used;
		if (kv_wire_parse(&m, data, size, &used, &why) != KV_PARSE_DONE)
			return 0;
	} while (take(&p, &m));
	return 0;
}
