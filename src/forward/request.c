#include "forward/request.h"

#include "base/must.h"

struct edge {
	enum request_state  next;
	enum request_action action;
	uint16_t            status;	/* for DO_ANSWER */
};

#define GONE [EVENT_CLIENT_GONE] = {REQUEST_DONE, DO_CUT, 0}

/* The whole behaviour. A missing edge is REQUEST_BUG. Two things are no fixed edges:
 * request_step turns a retry into PICKING, and NOBODY of a patient one into WAITING. */
static const struct edge edges[REQUEST_STATES][REQUEST_EVENTS] = {
	[REQUEST_NEW] = {
		[EVENT_BEGUN]          = {REQUEST_PICKING, DO_PICK, 0},
		[EVENT_HELD]           = {REQUEST_HELD, DO_HOLD, 0},
		[EVENT_BUSY]           = {REQUEST_WAITING, DO_WAIT, 0},
		GONE },
	[REQUEST_HELD] = {
		[EVENT_BEGUN]          = {REQUEST_PICKING, DO_PICK, 0},
		GONE },
	[REQUEST_PICKING] = {
		[EVENT_PICKED]         = {REQUEST_CONNECTING, DO_CONNECT, 0},
		[EVENT_BUSY]           = {REQUEST_WAITING, DO_WAIT, 0},
		[EVENT_NOBODY]         = {REQUEST_DONE, DO_ANSWER, 503},
		GONE },
	[REQUEST_WAITING] = {
		[EVENT_ROOM]           = {REQUEST_PICKING, DO_PICK, 0},
		[EVENT_HELD]           = {REQUEST_HELD, DO_HOLD, 0},
		[EVENT_WAIT_OVER]      = {REQUEST_DONE, DO_ANSWER, 503},
		GONE },
	[REQUEST_CONNECTING] = {
		[EVENT_CONNECTED]      = {REQUEST_AWAITING, DO_SEND, 0},
		[EVENT_CONNECT_FAILED] = {REQUEST_DONE, DO_ANSWER, 502},
		[EVENT_CONNECT_LATE]   = {REQUEST_DONE, DO_ANSWER, 504},
		[EVENT_REFUSED]        = {REQUEST_DONE, DO_ANSWER, 400},
		[EVENT_BROKEN]         = {REQUEST_DONE, DO_ANSWER, 408},
		GONE },
	[REQUEST_AWAITING] = {
		[EVENT_LOST]           = {REQUEST_DONE, DO_ANSWER, 502},
		[EVENT_MALFORMED]      = {REQUEST_DONE, DO_ANSWER, 502},
		[EVENT_RESPONSE_LATE]  = {REQUEST_DONE, DO_ANSWER, 504},
		[EVENT_RESPONSE]       = {REQUEST_ANSWERING, DO_FORWARD, 0},
		[EVENT_SWITCHED]       = {REQUEST_TUNNEL, DO_TUNNEL, 0},
		[EVENT_REFUSED]        = {REQUEST_DONE, DO_ANSWER, 400},
		[EVENT_BROKEN]         = {REQUEST_DONE, DO_ANSWER, 408},
		GONE },
	[REQUEST_ANSWERING] = {
		[EVENT_FINISHED]       = {REQUEST_DONE, DO_FINISH, 0},
		[EVENT_LOST]           = {REQUEST_DONE, DO_CUT, 0},
		[EVENT_MALFORMED]      = {REQUEST_DONE, DO_CUT, 0},
		[EVENT_BROKEN]         = {REQUEST_DONE, DO_CUT, 0},
		[EVENT_REFUSED]        = {REQUEST_DONE, DO_CUT, 0},
		GONE },
	[REQUEST_TUNNEL] = {
		[EVENT_FINISHED]       = {REQUEST_DONE, DO_CUT, 0},
		[EVENT_LOST]           = {REQUEST_DONE, DO_CUT, 0},
		[EVENT_BROKEN]         = {REQUEST_DONE, DO_CUT, 0},
		GONE },
};

void request_life_init(struct request_life *life, uint8_t retries_max, bool idempotent)
{
	*life = (struct request_life){
		.state = REQUEST_NEW, .retries_left = retries_max,
		.idempotent = idempotent, .replayable = true,
	};
}

static bool is_stale(const struct request_life *life, enum request_event event)
{
	return event == EVENT_LOST && life->reused;
}

bool request_may_retry(const struct request_life *life, enum request_event event)
{
	bool failed = life->state == REQUEST_CONNECTING &&
		      (event == EVENT_CONNECT_FAILED || event == EVENT_CONNECT_LATE);
	bool lost = life->state == REQUEST_AWAITING && event == EVENT_LOST;

	if (!failed && !lost)
		return false;
	if (!life->replayable || (life->sent && !life->idempotent))
		return false;
	return is_stale(life, event) || life->retries_left > 0;
}

enum request_action request_step(struct request_life *life, enum request_event event)
{
	if (life->state == REQUEST_DONE)	/* the loop may still deliver old news */
		return DO_NOTHING;

	if (request_may_retry(life, event)) {
		life->retry_free = is_stale(life, event);
		if (life->retry_free || !life->budget_used_up) {
			if (life->retry_free) {
				life->stale_before = true;
			} else {
				life->retries_left--;
				life->status = edges[life->state][event].status;
			}
			life->sent = life->reused = false;
			life->state = REQUEST_PICKING;
			return DO_PICK;
		}
	}

	if (event == EVENT_NOBODY && life->patient)
		event = EVENT_BUSY;
	const struct edge *e = &edges[life->state][event];
	must(e->next != REQUEST_BUG);
	/* Somebody was up and all have failed this request: the last failure, whatever
	 * came after it, says more than "nobody left". */
	if (e->action == DO_ANSWER && (event != EVENT_NOBODY || life->status == 0))
		life->status = e->status;
	life->state = e->next;
	return e->action;
}
