#include "forward/tcp_life.h"

#include "base/must.h"

struct edge {
	uint8_t next;		/* enum tcp_state */
	uint8_t action;		/* enum tcp_action */
	uint8_t count;		/* enum tcp_count */
};

#define NOT_MOVED TCP_COUNT_NOT_MOVED

/* A client that goes away, or whose time is over, takes the server's connection along. */
#define CAN_END                                                          \
	[TCP_EVENT_CLIENT_GONE] = {TCP_DONE, TCP_DO_CUT, 0},             \
	[TCP_EVENT_TIME_OVER]   = {TCP_DONE, TCP_DO_CUT, 0}

/* The whole behaviour but for what is moved: see redistribute. A missing edge is
 * TCP_BUG. */
static const struct edge edges[TCP_STATES][TCP_EVENTS] = {
	[TCP_NEW] = {
		[TCP_EVENT_BEGUN]          = {TCP_PICKING, TCP_DO_PICK, 0},
		[TCP_EVENT_REFUSED]        = {TCP_DONE, TCP_DO_CUT, 0},
		[TCP_EVENT_CLIENT_GONE]    = {TCP_DONE, TCP_DO_CLOSE, 0},
		[TCP_EVENT_TIME_OVER]      = {TCP_DONE, TCP_DO_CUT, 0} },
	[TCP_PICKING] = {
		[TCP_EVENT_PICKED]         = {TCP_CONNECTING, TCP_DO_CONNECT, 0},
		[TCP_EVENT_BUSY]           = {TCP_WAITING, TCP_DO_WAIT, 0},
		[TCP_EVENT_NOBODY]         = {TCP_DONE, TCP_DO_CUT, 0} },
	[TCP_WAITING] = {
		[TCP_EVENT_ROOM]           = {TCP_PICKING, TCP_DO_PICK, 0},
		[TCP_EVENT_WAIT_OVER]      = {TCP_DONE, TCP_DO_CUT, 0},
		CAN_END },
	[TCP_CONNECTING] = {
		[TCP_EVENT_CONNECTED]      = {TCP_ASKING, TCP_DO_RELAY, 0},
		[TCP_EVENT_CONNECT_FAILED] = {TCP_DONE, TCP_DO_CUT, 0},
		CAN_END },
	[TCP_ASKING] = {
		[TCP_EVENT_CLIENT_SPOKE]   = {TCP_ASKING, TCP_DO_NOTHING, 0},
		[TCP_EVENT_SERVER_SPOKE]   = {TCP_ANSWERING, TCP_DO_NOTHING, 0},
		[TCP_EVENT_SERVER_ENDED]   = {TCP_ENDING, TCP_DO_PASS_END, 0},
		[TCP_EVENT_SERVER_RESET]   = {TCP_DONE, TCP_DO_CUT, NOT_MOVED},
		[TCP_EVENT_SERVER_LEAVES]  = {TCP_ASKING, TCP_DO_NOTHING, 0},
		[TCP_EVENT_SERVER_LEFT]    = {TCP_DONE, TCP_DO_CUT, NOT_MOVED},
		[TCP_EVENT_FINISHED]       = {TCP_DONE, TCP_DO_CLOSE, 0},
		CAN_END },
	[TCP_ANSWERING] = {
		[TCP_EVENT_CLIENT_SPOKE]   = {TCP_ASKING, TCP_DO_NOTHING, 0},
		[TCP_EVENT_SERVER_SPOKE]   = {TCP_ANSWERING, TCP_DO_NOTHING, 0},
		[TCP_EVENT_SERVER_ENDED]   = {TCP_ENDING, TCP_DO_PASS_END, 0},
		[TCP_EVENT_SERVER_RESET]   = {TCP_DONE, TCP_DO_CUT, NOT_MOVED},
		[TCP_EVENT_SERVER_LEAVES]  = {TCP_ANSWERING, TCP_DO_NOTHING, 0},
		[TCP_EVENT_SERVER_LEFT]    = {TCP_DONE, TCP_DO_CUT, NOT_MOVED},
		[TCP_EVENT_FINISHED]       = {TCP_DONE, TCP_DO_CLOSE, 0},
		CAN_END },
	[TCP_VERIFYING] = {
		[TCP_EVENT_SERVER_LIVES]   = {TCP_ENDING, TCP_DO_PASS_END, 0},
		[TCP_EVENT_SERVER_LEAVES]  = {TCP_VERIFYING, TCP_DO_NOTHING, 0},
		CAN_END },
	[TCP_PARKED] = {
		[TCP_EVENT_CLIENT_SPOKE]   = {TCP_PICKING, TCP_DO_PICK, 0},
		[TCP_EVENT_FINISHED]       = {TCP_DONE, TCP_DO_CLOSE, 0},
		[TCP_EVENT_CLIENT_GONE]    = {TCP_DONE, TCP_DO_CLOSE, 0},
		[TCP_EVENT_TIME_OVER]      = {TCP_DONE, TCP_DO_CLOSE, 0} },
	[TCP_ENDING] = {
		[TCP_EVENT_SERVER_RESET]   = {TCP_DONE, TCP_DO_CUT, 0},
		[TCP_EVENT_SERVER_LEAVES]  = {TCP_ENDING, TCP_DO_NOTHING, 0},
		[TCP_EVENT_SERVER_LEFT]    = {TCP_DONE, TCP_DO_CUT, 0},
		[TCP_EVENT_FINISHED]       = {TCP_DONE, TCP_DO_CLOSE, 0},
		CAN_END },
};

void tcp_life_init(struct tcp_life *life, enum redistribute mode, uint8_t retries_max)
{
	*life = (struct tcp_life){
		.state = TCP_NEW, .mode = (uint8_t)mode, .retries_left = retries_max,
		.retries_max = retries_max, .replayable = true,
	};
}

/* ---- moving to another server ---- */

/* A client that ends without a word asks for nothing that could be told again. */
static bool may_replay(const struct tcp_life *life)
{
	return life->state == TCP_ASKING && tcp_life_keeps(life) && life->retries_left > 0 &&
	       (life->asked || !life->client_ended);
}

static bool may_park(const struct tcp_life *life)
{
	return life->state == TCP_ANSWERING && life->mode == REDISTRIBUTE_IDLE &&
	       life->quiet && !life->greeted && !life->client_ended;
}

static enum tcp_action go(struct tcp_life *life, enum tcp_state next, enum tcp_action action)
{
	life->state = (uint8_t)next;
	return action;
}

static enum tcp_action replay(struct tcp_life *life)
{
	life->retries_left--;
	if (life->moving == TCP_COUNT_NOTHING)
		life->moving = TCP_COUNT_REPLAYED;
	return go(life, TCP_PICKING, TCP_DO_MOVE);
}

static enum tcp_action park(struct tcp_life *life)
{
	life->overlapping = false;
	life->moving = TCP_COUNT_IDLE;
	return go(life, TCP_PARKED, TCP_DO_PARK);
}

/* The server's connection has ended where the client could be moved. */
static enum tcp_action on_lost(struct tcp_life *life, enum tcp_event event)
{
	if (life->down)
		return life->state == TCP_ASKING ? replay(life) : park(life);
	life->asking = life->state == TCP_ASKING;
	life->reset = event == TCP_EVENT_SERVER_RESET;
	return go(life, TCP_VERIFYING, TCP_DO_VERIFY);
}

/* What is no fixed edge: a server is lost, and the client can be moved. False: it cannot,
 * and the edge holds. */
static bool redistribute(struct tcp_life *life, enum tcp_event event, enum tcp_action *action)
{
	switch ((unsigned)event) {
	case TCP_EVENT_SERVER_ENDED:
	case TCP_EVENT_SERVER_RESET:
		if (!may_replay(life) && !may_park(life))
			return false;
		*action = on_lost(life, event);
		return true;
	case TCP_EVENT_SERVER_LEAVES:
	case TCP_EVENT_SERVER_LEFT:
		if (may_replay(life))
			*action = replay(life);
		else if (may_park(life))
			*action = park(life);
		else
			return false;
		return true;
	case TCP_EVENT_CLIENT_SPOKE:	/* to one that has been silent, and is dead */
		if (!life->down || !may_park(life))
			return false;
		life->moving = TCP_COUNT_IDLE;
		*action = go(life, TCP_PICKING, TCP_DO_MOVE);
		return true;
	case TCP_EVENT_CONNECT_FAILED:
		if (life->retries_left == 0)
			return false;
		life->retries_left--;
		*action = go(life, TCP_PICKING, TCP_DO_PICK);
		return true;
	default:
		return false;
	}
}

/* ---- steps ---- */

/* What was asked for while the server's fate was open; false: an edge of the table. */
static bool end_verifying(struct tcp_life *life, enum tcp_event event,
			  enum tcp_action *action)
{
	if (life->state != TCP_VERIFYING)
		return false;
	switch ((unsigned)event) {
	case TCP_EVENT_SERVER_DIED:
	case TCP_EVENT_SERVER_LEFT:
		*action = life->asking ? replay(life) : park(life);
		return true;
	case TCP_EVENT_SERVER_LIVES:
		if (!life->reset)
			return false;
		*action = go(life, TCP_DONE, TCP_DO_CUT);
		return true;
	default:
		return false;
	}
}

/* Notes what does not depend on the state. */
static void note(struct tcp_life *life, enum tcp_event event)
{
	if (event == TCP_EVENT_CLIENT_SPOKE) {
		life->asked = true;
		if (life->state == TCP_ANSWERING)
			life->overlapping = !life->quiet;
	} else if (event == TCP_EVENT_SERVER_SPOKE) {
		life->greeted = life->greeted || !life->asked;
		life->answered = true;
		life->retries_left = life->retries_max;
	}
}

/* Nothing is under way: a FIN tells the truth. */
static bool is_silent(const struct tcp_life *life)
{
	return life->state == TCP_ASKING ? !life->asked : life->quiet;
}

static enum tcp_action take_edge(struct tcp_life *life, enum tcp_event event)
{
	if (event == TCP_EVENT_NOBODY && life->patient)
		event = TCP_EVENT_BUSY;
	const struct edge *e = &edges[life->state][event];
	enum tcp_action action = (enum tcp_action)e->action;

	must(e->next != TCP_BUG);
	life->count = e->count;
	if ((event == TCP_EVENT_TIME_OVER || event == TCP_EVENT_SERVER_LEFT) &&
	    tcp_life_is_joined(life) && is_silent(life))
		action = TCP_DO_CLOSE;
	if (life->moving != TCP_COUNT_NOTHING) {	/* and now it is, or never will be */
		if (event == TCP_EVENT_CONNECTED)
			life->count = life->moving;
		else if (e->next == TCP_DONE && event != TCP_EVENT_CLIENT_GONE &&
			 action == TCP_DO_CUT)
			life->count = TCP_COUNT_NOT_MOVED;
		if (life->count != TCP_COUNT_NOTHING)
			life->moving = TCP_COUNT_NOTHING;
	}
	if (life->mode == REDISTRIBUTE_OFF || (life->client_ended && !life->asked))
		life->count = TCP_COUNT_NOTHING;	/* there was nothing to move */
	return go(life, (enum tcp_state)e->next, action);
}

enum tcp_action tcp_life_step(struct tcp_life *life, enum tcp_event event)
{
	enum tcp_action action;

	life->count = TCP_COUNT_NOTHING;
	if (life->state == TCP_DONE)	/* the loop may still deliver old news */
		return TCP_DO_NOTHING;
	note(life, event);
	if (redistribute(life, event, &action) || end_verifying(life, event, &action))
		return action;
	return take_edge(life, event);
}
