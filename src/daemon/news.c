#include "daemon/news.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/inside.h"
#include "model/live.h"

void news_tell_server(struct service *s, enum event_kind kind, const char *pool,
		      const char *server, const char *text)
{
	const struct event event = {
		.wall_ms = loop_wall_us(s->loop) / 1000, .kind = kind, .pool = pool,
		.server = server, .text = text,
	};

	events_add(s->events, &event);
}

void news_tell(struct service *s, enum event_kind kind, const char *format, ...)
{
	char text[EVENT_TEXT_MAX + 1];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	news_tell_server(s, kind, "", "", text);
}

void news_on_published(void *arg, const struct live_server *server, bool up,
		       const char *reason)
{
	news_tell_server(arg, up ? EVENT_SERVER_UP : EVENT_SERVER_DOWN, server->pool,
			 server->text, reason);
}

void news_on_owned(void *arg, enum owners_news what, const char *pool, const char *name,
		   const char *text)
{
	static const enum event_kind kinds[] = {
		[OWNERS_STARTING] = EVENT_SERVER_STARTING,
		[OWNERS_SERVES] = EVENT_SERVER_SERVES,
		[OWNERS_NOT_STARTED] = EVENT_SERVER_NOT_STARTED,
		[OWNERS_REPLACED] = EVENT_SERVER_REPLACED,
		[OWNERS_LEAVES] = EVENT_SERVER_LEAVES,
		[OWNERS_STOPPED] = EVENT_SERVER_STOPPED,
		[OWNERS_LEFT] = EVENT_SERVER_LEFT,
	};

	news_tell_server(arg, kinds[what], pool, name, text);
}
