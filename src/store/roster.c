#include "store/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PEERS_FIRST = 16 };

void roster_fini(struct roster *r)
{
	free(r->peers);
	*r = (struct roster){.state = ROSTER_OUT};
}

static void forget_filling(struct roster *r)
{
	r->filler = 0;
	r->plain_fill = r->fills_others = r->exported = r->offered = false;
}

void roster_greeted(struct roster *r)
{
	r->state = ROSTER_TOLD_NOTHING;
	forget_filling(r);
	/* Whom we are not told of now has gone meanwhile. */
	for (size_t i = 0; i < r->count; i++)
		r->peers[i].told = false;
}

void roster_left(struct roster *r)
{
	r->state = ROSTER_OUT;
	forget_filling(r);
}

void roster_begins(struct roster *r)
{
	r->fills_others = false;
}

struct roster_peer *roster_find(const struct roster *r, uint32_t id)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->peers[i].id == id)
			return &r->peers[i];
	return NULL;
}

static void add(struct roster *r, uint32_t id, uint8_t speaks, const struct address *at)
{
	if (r->count == r->size) {
		r->size = r->size > 0 ? 2 * r->size : PEERS_FIRST;
		r->peers = memory_grow(r->peers, r->size, sizeof *r->peers);
	}
	r->peers[r->count++] = (struct roster_peer){
		.id = id, .speaks = speaks, .told = true, .at = *at,
	};
}

enum roster_news roster_told(struct roster *r, uint32_t id, uint8_t speaks,
			     const struct address *at)
{
	struct roster_peer *p = roster_find(r, id);

	if (p == NULL) {
		if (r->count == ROSTER_PEERS_MAX)
			return ROSTER_TOO_MANY;
		add(r, id, speaks, at);
		return ROSTER_NEW;
	}
	p->told = true;
	if (p->speaks == speaks && address_equals(&p->at, at))
		return ROSTER_SAME;
	p->speaks = speaks;
	p->at = *at;
	return ROSTER_MOVED;
}

void roster_note_filler(struct roster *r, uint32_t id)
{
	if (r->filler != id)
		r->offered = false;
	r->filler = id;
}

void roster_note_export(struct roster *r)
{
	r->fills_others = true;
}

void roster_ends(struct roster *r, bool plain)
{
	if (r->state == ROSTER_READY || r->state == ROSTER_OUT)
		return;
	/* Version 1 does not say who exports to us: somebody does, unless we are alone,
	 * or are the one who exports and so were there before. */
	if (plain)
		r->plain_fill = r->count > 0 && !r->fills_others;
	if ((r->filler != 0 || r->plain_fill) && !r->exported)
		r->state = ROSTER_FILLING;
	else
		r->state = ROSTER_READY;
}

uint32_t roster_untold(const struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (!r->peers[i].told)
			return r->peers[i].id;
	return 0;
}

bool roster_has_plain(const struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->peers[i].speaks < 2)
			return true;
	return false;
}

void roster_remove(struct roster *r, uint32_t id)
{
	struct roster_peer *p = roster_find(r, id);

	if (p == NULL)
		return;
	*p = r->peers[--r->count];
	if (r->filler == id) {
		r->filler = 0;
		r->offered = false;
	}
}

void roster_connected(struct roster *r, uint32_t id, uint8_t lane, uint8_t lanes)
{
	struct roster_peer *p = roster_find(r, id);

	if (p == NULL || lane >= ROSTER_LANES_MAX)
		return;
	if (p->lanes != lanes)
		p->connected = 0;
	p->lanes = lanes;
	p->connected |= UINT64_C(1) << lane;
}

void roster_disconnected(struct roster *r, uint32_t id, uint8_t lane)
{
	struct roster_peer *p = roster_find(r, id);

	if (p != NULL && lane < ROSTER_LANES_MAX)
		p->connected &= ~(UINT64_C(1) << lane);
}

static bool has_connected(const struct roster_peer *p)
{
	uint64_t all = p->lanes >= 64 ? UINT64_MAX : (UINT64_C(1) << p->lanes) - 1;

	return p->lanes > 0 && p->connected == all;
}

/* A connection of version 1 does not say whose it is; so many as there are
 * such peers will do. */
static bool all_have_connected(const struct roster *r)
{
	unsigned plain = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->peers[i].speaks < 2)
			plain++;
		else if (!has_connected(&r->peers[i]))
			return false;
	return r->plain >= plain;
}

bool roster_may_ask(const struct roster *r)
{
	return r->state == ROSTER_FILLING && r->filler != 0 && r->offered &&
	       all_have_connected(r);
}

void roster_filled(struct roster *r)
{
	if (r->state != ROSTER_FILLING)
		return;
	r->state = ROSTER_READY;
	forget_filling(r);
}

bool roster_exported(struct roster *r)
{
	r->exported = r->state == ROSTER_TOLD_NOTHING;
	return r->state == ROSTER_FILLING;
}
