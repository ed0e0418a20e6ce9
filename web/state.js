/* state.js - what the balancer's counters mean: rates and quantiles out of answers that
 * came one after the other, behind those of its history. Pure: no clock, no document. */

const RATE_S = 5;		// what a rate is the mean of
const TIMES_S = 10;		// what quantiles of a pool are of
export const SHOWN_S = 300;	// what plots show
const SLACK_S = 0.5;		// answers do not come exactly a second apart
const SAMPLE_S = 5;		// how far the samples of the history are apart
const HOLE_S = 8;		// without a point; an unseen page asks every 5 s

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

/* The same of an answer's own, which are of the last minute; a balancer of before has none. */
const quantilesOf = ({ recent }) => !recent?.count ? quantiles([]) : {
	p50: recent.p50_ms, p90: recent.p90_ms, p99: recent.p99_ms, p999: recent.p999_ms,
};

/* A sample of the balancer's history as a point; null where there was none. */
function sampleOf(series, i, seconds) {
	if (series.requests[i] === null)
		return null;
	return {
		rate: series.requests[i] / seconds, errors: series.errors[i] / seconds,
		inFlight: series.in_flight[i], waiting: series.waiting[i],
		p50: series.p50_ms[i], p90: series.p90_ms[i],
		p99: series.p99_ms[i], p999: series.p999_ms[i],
	};
}

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

	/* How many samples of this process's history it takes to have points up to now: 0
	 * while they come by themselves. */
	lacks(at, pid) {
		const last = this.shown.at(-1);
		if (last?.whole && at - last.at < HOLE_S && this.readings.at(-1)?.pid === pid)
			return 0;
		const seconds = Math.min(SHOWN_S, last ? at - last.at : SHOWN_S);
		return Math.ceil(seconds / SAMPLE_S) + 1;
	}

	/* Takes in the history that was told at this time: of it, what is newer than all
	 * points. The reading of the same moment is to come next. */
	fill(at, history) {
		const newest = this.shown.at(-1)?.at ?? -Infinity;
		history.at_ms.forEach((sampled, i) => {
			const then = at - (history.now_ms - sampled) / 1000;
			const seconds = history.took_ms[i] / 1000;
			if (then <= newest || then >= at)
				return;
			this.shown.push({ at: then, whole: sampleOf(history.whole, i, seconds),
				pools: new Map(history.pools.map((pool) =>
					[pool.name, sampleOf(pool, i, seconds)])) });
		});
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
		const isFirst = this.readings.length === 0;
		this.readings.push(this.reading);
		while (at - this.readings[0].at > TIMES_S + 1)
			this.readings.shift();
		/* Of a process's first reading no rate is known. Where there are points of
		 * before, the line goes on with the next. */
		if (!isFirst || !this.shown.at(-1)?.whole)
			this.#show(at, seen);
		while (this.shown[0]?.at < at - SHOWN_S)
			this.shown.shift();
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
		const counts = then ? added(this.reading.times.get(one.name) ?? [], then) : [];
		return {
			...one, ...quantiles(counts), key, kind, counts,
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
			...quantiles(together(pools.map((pool) => pool.counts))),
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
	}

	/* That nothing is known of this time: a line ends there, rather than go on straight. */
	miss(at) {
		const last = this.shown.at(-1);
		if (last && last.whole)
			this.shown.push({ at, whole: null, pools: new Map() });
	}
}
