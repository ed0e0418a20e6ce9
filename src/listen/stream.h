/* listen/stream.h - a connected descriptor's bytes, with what is known of its state.
 *
 * Descriptors are told of once per change (edge-triggered), so what was told has to
 * be remembered: `readable` and `writable` stay true until a call has shown that
 * there is no more. A read that brings less than was asked for has emptied the
 * socket, and what comes behind it is nothing, or the end if the loop has told of one
 * before. That saves the call that would only say EAGAIN, or 0. Urgent bytes of TCP are
 * the exception: a read stops in front of them, and they are left out.
 *
 * Thread: the loop's.
 */
#ifndef LISTEN_STREAM_H
#define LISTEN_STREAM_H

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "loop/loop.h"

struct stream {
	struct loop_watch watch;	/* owned */
	bool readable;		/* bytes, the end, or an error may be there to read */
	bool writable;		/* the last write was taken whole */
	bool ended;		/* the peer will send no more than is there */
	bool broken;		/* reset, or failed */
	bool at_end;		/* all that it sent has been read */
	bool urgent;		/* a short read may have stopped at an urgent byte */
	int  untaken;		/* bytes in the kernel when stream_is_taken looked last */
};

enum stream_result {
	STREAM_OK,
	STREAM_WAIT,	/* nothing now: the loop will tell */
	STREAM_END,	/* the peer sends no more */
	STREAM_BROKEN,	/* reset, or another error */
};

static inline void stream_init(struct stream *s, int fd,
			       void (*on_ready)(struct loop_watch *w, unsigned events))
{
	loop_watch_init(&s->watch, fd, on_ready);
	s->readable = s->writable = true;
	s->ended = s->broken = s->at_end = s->urgent = false;
	s->untaken = INT_MAX;
}

/* To be called first by the watch's handler. */
static inline void stream_note(struct stream *s, unsigned events)
{
	if (events & LOOP_READABLE)
		s->readable = true;
	if (events & LOOP_WRITABLE)
		s->writable = true;
	if (events & LOOP_ENDED)
		s->ended = true;
	if (events & LOOP_BROKEN)
		s->broken = s->ended = true;
	if (events & LOOP_URGENT)
		s->urgent = true;
}

/* A read has brought less than was asked for. What the peer had sent is read then, and if
 * it had ended before, the end is all that is left: no call is needed to see it. */
static inline void stream_note_short(struct stream *s)
{
	if (s->urgent || s->broken)
		return;
	if (s->ended)
		s->at_end = true;
	else
		s->readable = false;
}

/* Reads up to `room` bytes; *got is set on STREAM_OK and at least 1. */
static inline enum stream_result stream_read(struct stream *s, void *at, size_t room,
					     size_t *got)
{
	if (s->at_end)
		return STREAM_END;
	ssize_t n = recv(s->watch.fd, at, room, 0);

	if (n > 0) {
		if ((size_t)n < room)
			stream_note_short(s);
		*got = (size_t)n;
		return STREAM_OK;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		s->readable = false;
		return STREAM_WAIT;
	}
	s->ended = true;
	s->broken = s->broken || n < 0;
	return n == 0 ? STREAM_END : STREAM_BROKEN;
}

/* Writes what the kernel takes; *put is set on STREAM_OK, and less than len when
 * the rest has to wait for the loop. `more`: the end of the stream, or other bytes,
 * follow at once, and may share a packet with these. */
static inline enum stream_result stream_write_more(struct stream *s, const void *at,
						   size_t len, bool more, size_t *put)
{
	ssize_t n = send(s->watch.fd, at, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

	if (n >= 0) {
		s->writable = (size_t)n == len;
		s->untaken = INT_MAX;
		*put = (size_t)n;
		return STREAM_OK;
	}
	if (errno == EAGAIN || errno == EINTR) {
		s->writable = false;
		*put = 0;
		return STREAM_OK;
	}
	s->broken = true;
	return STREAM_BROKEN;
}

static inline enum stream_result stream_write(struct stream *s, const void *at, size_t len,
					      size_t *put)
{
	return stream_write_more(s, at, len, false, put);
}

/* From now on the kernel asks a peer that has been silent for silence_ms whether it is
 * still there, and breaks the connection when it is not; 0: never. Connections inherit it
 * from a listening socket. */
static inline void stream_probe(int fd, uint32_t silence_ms)
{
	int on = silence_ms > 0;
	int seconds = silence_ms < 1000 ? 1 : (int)(silence_ms / 1000);

	if (on) {
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
	}
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* Closing it will be a RST: the peer learns that what it got was not all. */
static inline void stream_reset_on_close(const struct stream *s)
{
	struct linger hard = {.l_onoff = 1, .l_linger = 0};

	if (s->watch.fd >= 0)
		setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

/* Nothing is there to read, not even the end. A look by a system call, where what the
 * loop has told is not enough. */
static inline bool stream_is_quiet(const struct stream *s)
{
	char byte;

	return recv(s->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Whether the peer takes what was written, however slowly: less waits in the kernel than
 * at the last call, or this is the first one since a write. The loop tells of room only
 * when a good part of the kernel's buffer is free: a slow peer may need minutes. */
static inline bool stream_is_taken(struct stream *s)
{
	int untaken = 0, before = s->untaken;

	if (ioctl(s->watch.fd, SIOCOUTQ, &untaken) != 0)
		return false;
	s->untaken = untaken;
	return untaken < before;
}

#endif
