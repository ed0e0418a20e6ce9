/* state.js - what the balancer's counters mean: rates and quantiles out of answers that
 * came one after the other. Pure: no clock, no document. */

const RATE_S = 5;		// what a rate in a table is the mean of
const TIMES_S = 10;		// what quantiles of a pool are of
const SHOWN_S = 300;		// what plots show

const errorsOf = (of) => of.responses["5xx"] + of.responses.none;
const serverErrors = (of) => of.failures + of.responses["5xx"];

/* [microseconds, count] that were added between two readings. */
function added(now, then) {
	const before = new Map(then);
	return now.map(([us, count]) => [us, count - (before.get(us) ?? 0)])
		.filter(([, count]) => count > 0);
}

/* In milliseconds; null of nothing. */
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

export class State {
	constructor() {
		this.readings = [];	// the last few, oldest first
		this.shown = [];	// what plots are made of: {at, pools: Map}
	}

	/* Takes in what was read at this time, in seconds, and returns all that there is to
	 * be seen. */
	take(at, { status, pools, times, leaving }) {
		const reading = { at, pid: status.pid, counts: new Map(), times: new Map() };
		if (this.readings.at(-1)?.pid !== status.pid)
			this.readings = [];	// another process counts anew
		for (const { name, counts_us: counts } of times.pools)
			reading.times.set(name, counts);
		this.reading = reading;
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
		this.readings.push(reading);
		while (at - this.readings[0].at > TIMES_S + 1)
			this.readings.shift();
		this.#show(at, seen.pools);
		return seen;
	}

	/* The newest reading that is at least so old; else the oldest; or none. */
	#before(seconds) {
		const { at } = this.reading;
		return this.readings.findLast((one) => at - one.at >= seconds - 0.5) ??
			this.readings[0];
	}

	/* How much a counter grows each second; null while that is not known. */
	#rate(key, count, seconds = RATE_S) {
		this.reading.counts.set(key, count);
		const then = this.#before(seconds);
		const before = then?.counts.get(key);
		if (before === undefined || count < before)
			return null;
		return (count - before) / (this.reading.at - then.at);
	}

	#listener(one) {
		const key = `listener ${one.kind} ${one.address}`;
		const times = one.times;
		return {
			...one, key,
			rate: this.#rate(`${key} requests`, one.requests),
			accepts: this.#rate(`${key} accepted`, one.accepted),
			errors: this.#rate(`${key} errors`, errorsOf(one)),
			p50: times.count > 0 ? times.p50_ms : null,
			p99: times.count > 0 ? times.p99_ms : null,
		};
	}

	#pool(one, kind) {
		const key = `pool ${one.name}`;
		const failed = kind === "http" ? errorsOf(one)
			: one.servers.reduce((sum, server) => sum + server.failures, 0);
		const then = this.#before(TIMES_S)?.times.get(one.name);
		const recent = then ? added(this.reading.times.get(one.name) ?? [], then) : [];
		return {
			...one, key, kind,
			up: one.servers.filter((server) => server.state === "up").length,
			rate: this.#rate(`${key} requests`, one.requests),
			rateNow: this.#rate(`${key} requests`, one.requests, 1),
			errors: this.#rate(`${key} errors`, failed),
			errorsNow: this.#rate(`${key} errors`, failed, 1),
			p50: quantile(recent, 0.5), p99: quantile(recent, 0.99), recent,
		};
	}

	#server(one, pool) {
		const key = `server ${one.pool} ${one.address}`;
		const times = one.times;
		return {
			...one, key,
			of: pool?.of, owned: Boolean(pool?.owned),
			rate: this.#rate(`${key} requests`, one.requests),
			errors: this.#rate(`${key} errors`, serverErrors(one)),
			p50: times.count > 0 ? times.p50_ms : null,
			p99: times.count > 0 ? times.p99_ms : null,
		};
	}

	#totals({ status, pools, servers }) {
		const sum = (name) => pools.reduce((all, pool) => all + (pool[name] ?? 0), 0);
		const merged = new Map();
		for (const [us, count] of pools.flatMap((pool) => pool.recent))
			merged.set(us, (merged.get(us) ?? 0) + count);
		const recent = [...merged].sort(([a], [b]) => a - b);
		return {
			rate: sum("rate"), errors: sum("errors"), inFlight: sum("in_flight"),
			waiting: sum("waiting"), connections: status.connections,
			p50: quantile(recent, 0.5), p99: quantile(recent, 0.99),
			up: status.servers_up, servers: status.servers,
			down: servers.filter((server) => server.state === "down").length,
		};
	}

	#show(at, pools) {
		this.shown.push({
			at,
			pools: new Map(pools.map((pool) => [pool.name, {
				rate: pool.rateNow, errors: pool.errorsNow, p99: pool.p99,
				inFlight: pool.in_flight,
			}])),
		});
		while (at - this.shown[0].at > SHOWN_S)
			this.shown.shift();
	}
}

/* What kind of listener leads to a pool, by the pool's name. */
function kindsOf(listeners) {
	const kinds = new Map();
	for (const listener of listeners)
		for (const pool of listener.pools)
			kinds.set(pool, listener.kind);
	return kinds;
}
