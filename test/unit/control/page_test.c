/* Goal: the page's files are open to all, as they were built in, and nobody else's page
 * can have a change made. This test brings a table of its own, as a build with the page
 * does. */
#include "unit/control/client.h"

#include "control/etag.h"
#include "control/pages.h"

static const char index_html[] = "<!doctype html>", page_js[] = "1;\0 2;";

const struct page_file page_files[] = {
	{"index.html", "text/html; charset=utf-8", index_html, sizeof index_html - 1},
	{"page.js", "text/javascript", page_js, sizeof page_js - 1},
};
const uint32_t page_file_count = 2;

static const struct tokens tokens = {.change = "secret", .read = "look"};

/* Over TCP, on a connection of its own; fields end with their newlines. */
static void ask_tcp(const char *what, const char *fields)
{
	char request[1024];

	exchange_fini(&x);
	exchange_init(&x, &fake.view, &tokens, false);
	output_len = 0;
	snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: b:9000\r\n%s\r\n", what,
		 fields);
	put_text(request);
}

static bool is_status(const char *status)
{
	return strncmp(output + strlen("HTTP/1.1 "), status, strlen(status)) == 0;
}

static void the_page_needs_no_token(void **unused)
{
	(void)unused;
	ask_tcp("GET /", "");
	assert_true(is_status("200 "));
	assert_non_null(strstr(output, "Content-Type: text/html; charset=utf-8\r\n"));
	assert_non_null(strstr(output, "Content-Security-Policy: default-src 'self'"));
	assert_non_null(strstr(output, "X-Content-Type-Options: nosniff\r\n"));
	assert_string_equal(strstr(output, "\r\n\r\n") + 4, index_html);
	ask_tcp("GET /page/page.js", "");
	assert_true(is_status("200 "));
	assert_memory_equal(output + output_len - (sizeof page_js - 1), page_js,
			    sizeof page_js - 1);
	ask_tcp("HEAD /", "");
	assert_non_null(strstr(output, "Content-Length: 15\r\n"));
	assert_string_equal(output + output_len - 4, "\r\n\r\n");
}

static void all_else_still_does(void **unused)
{
	static const char *const closed[] = {
		"GET /v1/status", "GET /metrics", "GET /v1/routes", "GET //", "GET /page",
		"GET /page/a/b", "POST /", "GET /page/%zz", "POST /v1/stop",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(closed); i++) {
		ask_tcp(closed[i], "");
		assert_int_equal(next_answer(), 401);
	}
	assert_int_equal(fake.stops, 0);
	ask_tcp("GET /page/none", "");
	assert_int_equal(next_answer(), 404);
	assert_string_equal(code(), "path-unknown");
}

static void who_has_a_file_gets_it_no_second_time(void **unused)
{
	char field[80], *tag;

	(void)unused;
	ask_tcp("GET /page/page.js", "");
	assert_non_null(strstr(output, "Cache-Control: no-cache\r\n"));
	tag = strstr(output, "ETag: ");
	snprintf(field, sizeof field, "If-None-Match: \"1\", %.*s\r\n",
		 (int)strcspn(tag + 6, "\r"), tag + 6);
	fake.version++;		/* it has nothing to do with the files */
	ask_tcp("GET /page/page.js", field);
	assert_true(is_status("304 "));
	assert_string_equal(output + output_len - 4, "\r\n\r\n");
	assert_null(strstr(output, "Content-Length"));
	ask_tcp("GET /", field);
	assert_true(is_status("200 "));
}

#define SECRET "Authorization: Bearer secret\r\n"

static void a_foreign_page_changes_nothing(void **unused)
{
	static const char *const foreign[] = {
		"Origin: http://evil:9000\r\n", "Origin: http://b\r\n", "Origin: null\r\n",
		"Origin: \r\n", "Origin: b:9000\r\n", "Origin: ftp://b:9000\r\n",
		"Origin: http://b:9000.evil\r\n", "Origin: http://b:9000/\r\n",
		"Origin: http://b:9000\r\nOrigin: http://evil\r\n",
	};
	char fields[256];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(foreign); i++) {
		snprintf(fields, sizeof fields, SECRET "%s", foreign[i]);
		ask_tcp("POST /v1/stop", fields);
		assert_int_equal(next_answer(), 403);
		assert_string_equal(code(), "foreign-origin");
	}
	assert_int_equal(fake.stops, 0);
	ask_tcp("GET /v1/leaving", SECRET "Origin: http://evil\r\n");
	assert_int_equal(next_answer(), 200);	/* which its browser does not show it */
}

static void our_own_page_may(void **unused)
{
	(void)unused;
	ask_tcp("POST /v1/stop", SECRET "Origin: http://B:9000\r\n");
	assert_int_equal(next_answer(), 202);
	ask_tcp("POST /v1/stop", SECRET "Origin: https://b:9000\r\n");
	assert_int_equal(next_answer(), 202);
}

/* Through a tunnel to the UNIX socket, whose Host is what the browser was told. */
static int ask_locally(const char *host)
{
	char request[512];

	exchange_fini(&x);
	exchange_init(&x, &fake.view, NULL, false);
	output_len = 0;
	snprintf(request, sizeof request, "POST /v1/stop HTTP/1.1\r\nHost: %s\r\n"
		 "Origin: http://%s\r\n\r\n", host, host);
	put_text(request);
	return next_answer();
}

static void through_a_tunnel_a_name_that_leads_here_is_none_of_ours(void **unused)
{
	static const char *const ours[] = {
		"localhost:9000", "127.0.0.1:9000", "127.0.0.1", "[::1]:9000", "balancerd",
	};
	static const char *const others[] = {
		"evil.example:9000", "EVIL.EXAMPLE", "a.0:1", "127.0.0.1.nip.example",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_int_equal(ask_locally(others[i]), 403);
		assert_string_equal(code(), "foreign-origin");
	}
	assert_int_equal(fake.stops, 0);
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		assert_int_equal(ask_locally(ours[i]), 202);
	ask_tcp("POST /v1/stop", SECRET "Origin: http://b:9000\r\n");
	assert_int_equal(next_answer(), 202);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_page_needs_no_token),
		CASE(all_else_still_does),
		CASE(who_has_a_file_gets_it_no_second_time),
		CASE(a_foreign_page_changes_nothing),
		CASE(our_own_page_may),
		CASE(through_a_tunnel_a_name_that_leads_here_is_none_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
