#include "daemon/summary.h"

#include "base/log.h"
#include "model/meter_reading.h"

/* The last words: all of them, also where there are many servers. */
#define SAY(...) log_always(LOG_LEVEL_INFO, __VA_ARGS__)

static void log_listener(const struct live_listener *l)
{
	if (l->datagrams) {
		SAY("served listener=%s flows=%llu flows_full=%llu datagrams_dropped=%llu",
			 l->text, l->accepted, l->flows_full, l->datagrams_dropped);
		return;
	}
	if (l->kv) {
		SAY("served listener=%s connections=%llu requests=%llu bad_requests=%llu "
			 "timeouts=%llu client_gone=%llu accept_paused=%llu",
			 l->text, l->accepted, l->requests, l->bad_requests, l->timeouts,
			 l->client_gone, l->accept_paused);
		return;
	}
	struct meter_reading sum = {0};
	meters_add(l->meters, &sum);
	SAY("served listener=%s connections=%llu requests=%llu 2xx=%lu 3xx=%lu "
		 "4xx=%lu 5xx=%lu bad_requests=%llu timeouts=%llu cut=%llu client_gone=%llu "
		 "queue_full=%llu accept_paused=%llu proxy_refused=%llu",
		 l->text, l->accepted, l->requests, sum.responses[2], sum.responses[3],
		 sum.responses[4], sum.responses[5], l->bad_requests, l->timeouts, l->cut,
		 l->client_gone, l->queue_full, l->accept_paused, l->proxy_refused);
}

void summary_log(const struct live *live)
{
	for (const struct live_listener *l = live->listeners; l != NULL; l = l->next)
		log_listener(l);
	for (const struct live_pool *p = live->pools; p != NULL; p = p->next)
		SAY("served pool=%s retries=%llu retries_over_budget=%llu "
			 "no_server_up=%llu queued=%llu queue_full=%llu queue_timeouts=%llu "
			 "bytes_up=%llu bytes_down=%llu moved_replayed=%llu moved_idle=%llu "
			 "not_moved=%llu",
			 p->name, p->retries, p->retries_over_budget, p->no_server_up,
			 p->queued, p->queue_full, p->queue_timeouts, p->bytes_up, p->bytes_down,
			 p->moved_replayed, p->moved_idle, p->not_moved);
	SAY("served connections_turned_away=%llu accept_out_of_descriptors=%llu "
		 "dials_out_of_descriptors=%llu pipes_none_left=%llu memory_refused=%llu",
		 live->connections.turned_away, live->accept_out_of_descriptors,
		 live->dials_out_of_descriptors, live->pipes_none_left, live->memory_refused);
	for (const struct live_server *s = live->servers; s != NULL; s = s->next)
		SAY("served pool=%s server=%s requests=%llu responses=%llu "
			 "retried_away=%llu refused=%llu reset=%llu timeouts=%llu "
			 "malformed=%llu cut=%llu",
			 s->pool, s->text, s->requests, s->responses, s->retried_away,
			 s->failures[FAILURE_REFUSED], s->failures[FAILURE_RESET],
			 s->failures[FAILURE_CONNECT_TIMEOUT] +
			 s->failures[FAILURE_RESPONSE_TIMEOUT],
			 s->failures[FAILURE_MALFORMED], s->failures[FAILURE_CUT]);
}
