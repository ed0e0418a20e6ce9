/* Goal: what is written names a server so that it is found again, in this pool only and
 * whatever became of the other servers; nothing else names one. */
#include "model/live_registry.h"
#include "unit/model/live_fixture.h"

#include <stdio.h>
#include <string.h>

#include "forward/sticky.h"
#include "pick/policy.h"

static struct h1_head head;

static struct model *attached(const char *pool, const char *const *servers)
{
	struct model *m = sample_model(pool, servers);

	m->pools[0].sticky_cookie = memory_text("node");
	assert_int_equal(model_attach(m, &live, &err), 0);
	return m;
}

/* Which server a request with this Cookie field goes to. */
static uint32_t find(const struct sticky *s, const char *cookies)
{
	static const struct h1_limits limits = {
		.head_max = 8192, .target_max = 8192, .fields_max = 200,
	};
	char text[1024];

	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n",
		 cookies);
	if (h1_parse_request(&head, text, strlen(text), 0, &limits) != H1_DONE)
		fail_msg("%s: %s", h1_fault_text(head.fault), text);
	return sticky_find(s, &head, text);
}

/* What a client sends that was told this server's name: what stands before the first
 * semicolon. */
static const char *cookie_of(const struct sticky *s, uint32_t server)
{
	static char line[STICKY_LINE_MAX + 1];
	static const char field[] = "Set-Cookie: ";
	size_t len = sticky_write(s, server, line);

	line[len] = '\0';
	assert_memory_equal(line, field, sizeof field - 1);
	*strchr(line, ';') = '\0';
	return line + sizeof field - 1;
}

static void no_cookie_in_the_model_no_names(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081"));

	(void)unused;
	assert_int_equal(model_attach(m, &live, &err), 0);
	assert_null(sticky_create(&m->pools[0]));
	sticky_destroy(NULL);
	model_put(m);
}

static void who_is_named_is_found_again_in_the_largest_pool(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081"));
	struct model_pool *pool = &m->pools[0];
	char text[32];

	(void)unused;
	pool->sticky_cookie = memory_text("node");
	while (pool->server_count < MODEL_SERVERS_MAX) {
		struct model_server *added = model_server_add(pool);
		snprintf(text, sizeof text, "10.0.%u.%u:80", pool->server_count / 256,
			 pool->server_count % 256);
		assert_int_equal(address_parse(&added->address, text, "", &err), 0);
	}
	assert_int_equal(model_attach(m, &live, &err), 0);
	struct sticky *s = sticky_create(pool);
	for (uint32_t i = 0; i < pool->server_count; i++)
		assert_int_equal(find(s, cookie_of(s, i)), i);
	sticky_destroy(s);
	model_put(m);
}

static void a_name_stays_when_others_come_and_go(void **unused)
{
	struct model *m = attached("web", SERVERS("8081", "8082", "8083"));
	struct model *later = attached("web", SERVERS("8089", "8083", "8081"));
	struct sticky *s = sticky_create(&m->pools[0]);
	struct sticky *t = sticky_create(&later->pools[0]);

	(void)unused;
	assert_int_equal(find(t, cookie_of(s, 0)), 2);
	assert_int_equal(find(t, cookie_of(s, 1)), PICK_NONE);
	assert_int_equal(find(t, cookie_of(s, 2)), 1);
	sticky_destroy(s);
	sticky_destroy(t);
	model_put(m);
	model_put(later);
}

static void a_name_says_nothing_in_another_pool(void **unused)
{
	struct model *m = attached("web", SERVERS("8081", "8082"));
	struct model *other = attached("api", SERVERS("8081", "8082"));
	struct sticky *s = sticky_create(&m->pools[0]);
	struct sticky *t = sticky_create(&other->pools[0]);

	(void)unused;
	assert_int_equal(find(t, cookie_of(s, 0)), PICK_NONE);
	assert_int_equal(find(s, cookie_of(t, 1)), PICK_NONE);
	sticky_destroy(s);
	sticky_destroy(t);
	model_put(m);
	model_put(other);
}

static void what_is_no_name_names_nobody(void **unused)
{
	struct model *m = attached("web", SERVERS("8081", "8082"));
	struct sticky *s = sticky_create(&m->pools[0]);
	char cookie[STICKY_LINE_MAX + 1], longer[STICKY_LINE_MAX + 8];

	(void)unused;
	strcpy(cookie, cookie_of(s, 1));
	assert_int_equal(find(s, cookie), 1);
	assert_int_equal(find(s, "node=; a=b"), PICK_NONE);
	assert_int_equal(find(s, "node=0000000000000000"), PICK_NONE);
	assert_int_equal(find(s, "node=127.0.0.1:8082"), PICK_NONE);
	snprintf(longer, sizeof longer, "%s0", cookie);
	assert_int_equal(find(s, longer), PICK_NONE);
	snprintf(longer, sizeof longer, "x%s", cookie);
	assert_int_equal(find(s, longer), PICK_NONE);
	for (size_t i = strlen("node="); cookie[i] != '\0'; i++) {
		static const char wrong[] = "gG/:@`Z -\"";
		char kept = cookie[i];
		for (size_t k = 0; k < sizeof wrong - 1; k++) {
			cookie[i] = wrong[k];
			assert_int_equal(find(s, cookie), PICK_NONE);
		}
		cookie[i] = kept;
	}
	cookie[strlen(cookie) - 1] = '\0';
	assert_int_equal(find(s, cookie), PICK_NONE);
	sticky_destroy(s);
	model_put(m);
}

static void check_line(struct sticky *s, const char *attributes)
{
	char line[STICKY_LINE_MAX];
	size_t len = sticky_write(s, 0, line);
	size_t from = strlen("Set-Cookie: node=") + 16;

	assert_int_equal(len, from + strlen(attributes));
	assert_memory_equal(line + from, attributes, strlen(attributes));
}

static void the_line_has_the_attributes_that_were_asked_for(void **unused)
{
	struct model *m = attached("web", SERVERS("8081"));
	struct sticky *s = sticky_create(&m->pools[0]);

	(void)unused;
	check_line(s, "; Path=/; HttpOnly; SameSite=Lax\r\n");
	m->pools[0].sticky_s = 3600;
	check_line(s, "; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600\r\n");
	sticky_destroy(s);
	model_put(m);
}

static void the_longest_line_has_room(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081"));
	struct model_pool *pool = &m->pools[0];
	char name[MODEL_TOKEN_MAX + 1], line[STICKY_LINE_MAX];

	(void)unused;
	memset(name, 'a', MODEL_TOKEN_MAX);
	name[MODEL_TOKEN_MAX] = '\0';
	pool->sticky_cookie = memory_text(name);
	pool->sticky_s = UINT32_MAX;
	assert_int_equal(model_attach(m, &live, &err), 0);
	struct sticky *s = sticky_create(pool);
	assert_in_range(sticky_write(s, 0, line), MODEL_TOKEN_MAX, STICKY_LINE_MAX - 1);
	sticky_destroy(s);
	model_put(m);
}

/* Else a new version would take every client's server away. */
static void names_never_change(void **unused)
{
	struct model *m = attached("web", SERVERS("127.0.0.1:8081"));
	struct sticky *s = sticky_create(&m->pools[0]);

	(void)unused;
	assert_string_equal(cookie_of(s, 0), "node=43d1b40f92ff1702");
	sticky_destroy(s);
	model_put(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cookie_in_the_model_no_names),
		cmocka_unit_test(who_is_named_is_found_again_in_the_largest_pool),
		cmocka_unit_test(a_name_stays_when_others_come_and_go),
		cmocka_unit_test(a_name_says_nothing_in_another_pool),
		cmocka_unit_test(what_is_no_name_names_nobody),
		cmocka_unit_test(the_line_has_the_attributes_that_were_asked_for),
		cmocka_unit_test(the_longest_line_has_room),
		cmocka_unit_test(names_never_change),
	};
	return cmocka_run_group_tests(tests, start, finish);
}
