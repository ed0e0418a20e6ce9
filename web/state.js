/* state.js - what the balancer's counters mean: rates and quantiles out of answers that
 * came one after the other. Pure: no clock, no document. */

const RATE_S = 5;		// what a rate is the mean of
const TIMES_S = 10;		// what quantiles of a pool are of
const SHOWN_S = 300;		// what plots show
const SLACK_S = 0.5;		// answers do not come exactly a second apart

const errorsOf = (of) => of.responses["5xx"] + of.responses.none;
const serverErrors = (of) => of.failures + of.responses["5xx"];

/* Of [microseconds, count], the shortest first: in milliseconds; null of nothing. */
export function quantile(counts, fraction) {
	const total = counts.reduce((sum, [, count]) => sum + count, 0);
	let left = Math.ceil(total * fraction);
	for (const [us, count] of counts) {
		left -= count;
		if (left <= 0)
			return us / 1000;
	}
	return null;
}

const quantiles = (counts) => ({
	p50: quantile(counts, 0.5), p90: quantile(counts, 0.9),
	p99: quantile(counts, 0.99), p999: quantile(counts, 0.999),
});

/* The same of an answer's own, which are of all since the start. */
const quantilesOf = ({ times }) => times.count === 0 ? quantiles([]) : {
	p50: times.p50_ms, p90: times.p90_ms, p99: times.p99_ms, p999: times.p999_ms,
};

/* [microseconds, count] that were added between two readings. */
export function added(now, then) {
	const before = new Map(then);
	return now.map(([us, count]) => [us, count - (before.get(us) ?? 0)])
		.filter(([, count]) => count > 0);
}

export function together(lists) {
	const merged = new Map();
	for (const [us, count] of lists.flat())
		merged.set(us, (merged.get(us) ?? 0) + count);
	return [...merged].sort(([a], [b]) => a - b);
}

/* What kind of listener leads to a pool, by the pool's name. */
function kindsOf(listeners) {
	const kinds = new Map();
	for (const listener of listeners)
		for (const pool of listener.pools)
			kinds.set(pool, listener.kind);
	return kinds;
}

export class State {
	constructor() {
		this.readings = [];	// the last few, oldest first
		this.shown = [];	// what plots are made of: {at, whole, pools: Map}
	}

	/* Takes in what was read at this time, in seconds, and returns all that there is to
	 * be seen. */
	take(at, { status, pools, times, leaving }) {
		if (this.readings.at(-1)?.pid !== status.pid)
			this.readings = [];	// another process counts anew
		this.reading = { at, pid: status.pid, counts: new Map(), times: new Map() };
		for (const { name, counts_us: counts } of times.pools)
			this.reading.times.set(name, counts);
		const kinds = kindsOf(status.listeners);
		const seen = {
			status,
			listeners: status.listeners.map((one) => this.#listener(one)),
			pools: pools.pools.map((one) => this.#pool(one, kinds.get(one.name))),
			servers: pools.pools.flatMap((pool) =>
				pool.servers.map((one) => this.#server(one, pool))),
		};
		for (const one of leaving.servers)
			seen.servers.push(this.#server(one, null));
		seen.totals = this.#totals(seen);
		this.readings.push(this.reading);
		while (at - this.readings[0].at > TIMES_S + 1)
			this.readings.shift();
		this.#show(at, seen);
		return seen;
	}

	/* The newest reading that is at least so old; else the oldest; or none. */
	#before(seconds) {
		const { at } = this.reading;
		return this.readings.findLast((one) => at - one.at >= seconds - SLACK_S) ??
			this.readings[0];
	}

	/* How much a counter grows each second; null while that is not known. */
	#rate(key, count) {
		this.reading.counts.set(key, count);
		const then = this.#before(RATE_S);
		const before = then?.counts.get(key);
		if (before === undefined || count < before)
			return null;
		return (count - before) / (this.reading.at - then.at);
	}

	#listener(one) {
		const key = `listener ${one.kind} ${one.address}`;
		return {
			...one, ...quantilesOf(one), key,
			rate: this.#rate(`${key} requests`, one.requests),
			accepts: this.#rate(`${key} accepted`, one.accepted),
			errors: this.#rate(`${key} errors`, errorsOf(one)),
		};
	}

	#pool(one, kind) {
		const key = `pool ${one.name}`;
		const failed = kind === "http" ? errorsOf(one)
			: one.servers.reduce((sum, server) => sum + server.failures, 0);
		const then = this.#before(TIMES_S)?.times.get(one.name);
		const recent = then ? added(this.reading.times.get(one.name) ?? [], then) : [];
		return {
			...one, ...quantiles(recent), key, kind, recent,
			up: one.servers.filter((server) => server.state === "up").length,
			rate: this.#rate(`${key} requests`, one.requests),
			errors: this.#rate(`${key} errors`, failed),
		};
	}

	/* pool: null of one that was taken out, and may be in its pool again by now. */
	#server(one, pool) {
		const key = `${pool ? "server" : "leaving"} ${one.pool} ${one.name ?? ""} ${one.address}`;
		return {
			...one, ...quantilesOf(one), key,
			of: pool?.of, owned: Boolean(pool?.owned),
			rate: this.#rate(`${key} requests`, one.requests),
			errors: this.#rate(`${key} errors`, serverErrors(one)),
		};
	}

	#totals({ status, pools, servers }) {
		const sum = (name) => pools.reduce((all, pool) => all + (pool[name] ?? 0), 0);
		const known = pools.some((pool) => pool.rate !== null);
		return {
			...quantiles(together(pools.map((pool) => pool.recent))),
			rate: known ? sum("rate") : null, errors: known ? sum("errors") : null,
			inFlight: sum("in_flight"), waiting: sum("waiting"),
			connections: status.connections,
			up: status.servers_up, servers: status.servers,
			down: servers.filter((server) => server.state === "down").length,
		};
	}

	#show(at, { pools, totals }) {
		const point = (of) => ({
			rate: of.rate, errors: of.errors,
			inFlight: of.inFlight ?? of.in_flight, waiting: of.waiting,
			p50: of.p50, p90: of.p90, p99: of.p99, p999: of.p999,
		});
		this.shown.push({ at, whole: point(totals),
			pools: new Map(pools.map((pool) => [pool.name, point(pool)])) });
		while (at - this.shown[0].at > SHOWN_S)
			this.shown.shift();
	}

	/* That nothing is known of this time: a line ends there, rather than go on straight. */
	miss(at) {
		const last = this.shown.at(-1);
		if (last && last.whole)
			this.shown.push({ at, whole: null, pools: new Map() });
	}
}
