#include "config/made.h"

#include "base/must.h"
#include "config/fill.h"
#include "model/own.h"
#include "model/srv.h"

static const void *of_model(enum makes makes, const struct model *m, uint32_t i)
{
	if (makes == MAKES_LISTENER)
		return i < m->listener_count ? &m->listeners[i] : NULL;
	if (makes == MAKES_POOL)
		return i < m->pool_count ? &m->pools[i] : NULL;
	return i < m->control_count ? &m->controls[i] : NULL;
}

static const void *of_listener(const struct model_listener *l, uint32_t i)
{
	return i < l->route_count ? &l->routes[i] : NULL;
}

/* Its own block, of which there is one at most, its servers, and names that lead to more. */
static const void *of_pool(enum makes makes, const struct model_pool *p, uint32_t i)
{
	if (makes == MAKES_OWN)
		return i == 0 ? p->own : NULL;
	if (makes == MAKES_SRV)
		return i < p->srv_count ? &p->srvs[i] : NULL;
	return i < p->server_count ? &p->servers[i] : NULL;
}

static const void *of_own(const struct model_own *own, uint32_t i)
{
	return i < own->environment_count ? &own->environment[i] : NULL;
}

const void *made_at(enum makes makes, const void *block, uint32_t i)
{
	switch (makes) {
	case MAKES_LISTENER:
	case MAKES_POOL:
	case MAKES_CONTROL:
		return of_model(makes, block, i);
	case MAKES_ROUTE:
		return of_listener(block, i);
	case MAKES_SERVER:
	case MAKES_SRV:
	case MAKES_OWN:
		return of_pool(makes, block, i);
	case MAKES_VARIABLE:
		return of_own(block, i);
	case MAKES_NOTHING:
	case MAKES:
		break;
	}
	must(false);
	return NULL;
}

bool made_by(const struct directive *d, const void *target)
{
	return d->constant_field.size == 0 ||
	       fill_read_number(d->constant_field, target) == d->constant;
}

/* There is one route without conditions, and there may be many with some. */
static bool is_route_of(const struct directive *d, const struct model_route *r)
{
	return d->repeats == (r->host != NULL || r->path != NULL);
}

const struct directive *made_row(enum context in, enum makes makes, const void *thing)
{
	const struct directive *d;

	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++) {
		if ((d->in & (unsigned)in) == 0 || d->makes != makes)
			continue;
		if (thing == NULL ||
		    (made_by(d, thing) &&
		     (makes != MAKES_ROUTE || is_route_of(d, thing))))
			return d;
	}
	must(false);
	return NULL;
}
