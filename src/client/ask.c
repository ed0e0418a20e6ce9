#include "client/ask.h"

#include <signal.h>

#include "base/memory.h"
#include "base/must.h"

static void on_open(struct talk *t)
{
	(void)t;
}

static void on_answer(struct talk *t, uint32_t tag, const struct answer *answer)
{
	struct ask *a = CONTAINER_OF(t, struct ask, talk);

	(void)tag;	/* there is but one */
	a->answer = *answer;
	bytes_fini(&a->value);
	if (!bytes_append(&a->value, answer->value.at, answer->value.len))
		memory_exhausted(answer->value.len, 1);
	a->answer.value = (struct span){bytes_first(&a->value), answer->value.len};
	a->waiting = false;
}

static void on_lost(struct talk *t, enum talk_loss loss)
{
	struct ask *a = CONTAINER_OF(t, struct ask, talk);

	a->loss = loss;
}

static const struct talk_hooks hooks = {
	.on_open = on_open, .on_answer = on_answer, .on_lost = on_lost,
};

static void on_signal(struct signals *s, int number)
{
	struct ask *a = CONTAINER_OF(s, struct ask, signals);

	(void)number;
	a->interrupted = true;
}

void ask_init(struct ask *a, struct loop *loop, const struct address *address,
	      uint8_t version, uint64_t timeout_ms)
{
	*a = (struct ask){.balancer = {
		.loop = loop, .address = *address, .timeout_ms = timeout_ms,
		.version = version, .certain = version != 0,
	}};
	talk_init(&a->talk, &a->balancer, &hooks, 1);
}

void ask_fini(struct ask *a)
{
	talk_fini(&a->talk);
	if (a->signals.loop != NULL)
		signals_close(&a->signals);
	bytes_fini(&a->value);
}

int ask_heed_signals(struct ask *a, struct err *err)
{
	static const int numbers[] = {SIGINT, 0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signals_open(&a->signals, a->balancer.loop, numbers, on_signal, err);
}

static enum ask_result interrupted(struct ask *a, struct err *err)
{
	talk_close(&a->talk);
	err_set(err, "interrupted");
	return ASK_INTERRUPTED;
}

enum ask_result ask_connect(struct ask *a, struct err *err)
{
	a->interrupted = false;
	loop_turn(a->balancer.loop, 0);		/* it may have ended since it was used */
	a->interrupted = false;
	if (a->talk.state == TALK_CLOSED)
		talk_open(&a->talk);
	while ((a->talk.state == TALK_DIALING || a->talk.state == TALK_GREETING) &&
	       !a->interrupted)
		loop_turn(a->balancer.loop, -1);
	if (a->interrupted)
		return interrupted(a, err);
	if (a->talk.state == TALK_OPEN)
		return ASK_ANSWERED;
	*err = a->talk.why;
	return ASK_UNREACHED;
}

enum ask_result ask(struct ask *a, const struct request *r, struct answer *answer,
		    struct err *err)
{
	enum ask_result result = ask_connect(a, err);

	if (result != ASK_ANSWERED)
		return result;
	if (asking_check(r, a->talk.version, err) != 0)
		return ASK_WRONG;
	a->waiting = true;
	talk_ask(&a->talk, r);
	while (a->waiting && a->talk.state == TALK_OPEN && !a->interrupted)
		loop_turn(a->balancer.loop, -1);
	if (a->waiting && a->interrupted)
		return interrupted(a, err);
	if (a->waiting) {
		*err = a->talk.why;
		return ASK_LOST;
	}
	*answer = a->answer;
	return ASK_ANSWERED;
}
