/* Goal: rates and quantiles are what the counters say, over restarts and gaps, too. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { State, added, quantile, together } from "../../web/state.js";

const none = { count: 0, p50_ms: 0, p90_ms: 0, p99_ms: 0, p999_ms: 0 };
const answers = (bad = 0) =>
	({ none: 0, "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": bad });

/* One server in one pool behind one listener, after so many requests. */
function reading({ requests = 0, bad = 0, failures = 0, pid = 1, kind = "http",
		   counts = [], leaving = [], servers, recent = none } = {}) {
	const figures = { requests, responses: answers(bad), recent };
	const server = { ...figures, address: "127.0.0.1:1", pool: "web", state: "up", failures };
	return {
		status: { pid, connections: 3, servers: 1, servers_up: 1, listeners: [
			{ ...figures, kind, address: "a", pools: ["web"], accepted: 0 }] },
		pools: { pools: [{ ...figures, name: "web", in_flight: 2, waiting: 1,
				   of: "servers", servers: servers ?? [server] }] },
		times: { pools: [{ name: "web", counts_us: counts }] },
		leaving: { servers: leaving },
	};
}

/* What is seen after these, a second apart. */
function after(...readings) {
	const state = new State();
	return readings.map((one, i) => state.take(i, reading(one))).at(-1);
}

test("nothing is known of a rate at first", () => {
	const seen = after({ requests: 1000 });
	assert.equal(seen.pools[0].rate, null);
	assert.equal(seen.servers[0].rate, null);
	assert.equal(seen.totals.rate, null);
	assert.equal(seen.totals.p99, null);
});

test("a rate is the mean of five seconds", () => {
	const all = [0, 100, 200, 300, 400, 500, 600, 1100].map((requests) => ({ requests }));
	assert.equal(after(...all.slice(0, 7)).pools[0].rate, 100);
	assert.equal(after(...all).pools[0].rate, (1100 - 200) / 5);
	assert.equal(after(...all).listeners[0].rate, (1100 - 200) / 5);
	assert.equal(after(...all).totals.rate, (1100 - 200) / 5);
});

test("another process counts anew", () => {
	const seen = after({ requests: 500 }, { requests: 600 }, { requests: 5, pid: 2 });
	assert.equal(seen.pools[0].rate, null);
	const next = after({ requests: 500 }, { requests: 5, pid: 2 }, { requests: 25, pid: 2 });
	assert.equal(next.pools[0].rate, 20);
});

test("a counter that became less is not known for a while, and never negative", () => {
	const gone = { requests: 600, kind: "tcp", servers: [] };
	const seen = after({ requests: 500, kind: "tcp", failures: 9 }, gone);
	assert.equal(seen.pools[0].errors, null);
	assert.equal(seen.totals.errors, 0);
});

test("errors of HTTP are bad answers, of connections they are failures", () => {
	assert.equal(after({}, { bad: 4, failures: 9 }).pools[0].errors, 4);
	assert.equal(after({}, { bad: 4, failures: 9 }).servers[0].errors, 13);
	assert.equal(after({ kind: "tcp" }, { failures: 9, kind: "tcp" }).pools[0].errors, 9);
});

test("times of a pool are those of the last seconds", () => {
	const seen = after({ counts: [[1000, 50]] }, { counts: [[1000, 50], [2000, 99], [9000, 1]] });
	assert.equal(seen.pools[0].p50, 2);
	assert.equal(seen.pools[0].p999, 9);
	assert.equal(seen.totals.p99, 2);
});

test("a server that leaves while it is there again is another row", () => {
	const one = reading().pools.pools[0].servers[0];
	const seen = after({}, { leaving: [{ ...one, state: "leaving" }] });
	assert.equal(new Set(seen.servers.map(({ key }) => key)).size, 2);
});

test("plots keep five minutes, with gaps where nothing was heard", () => {
	const state = new State();
	for (let i = 0; i < 400; i++)
		state.take(i, reading({ requests: i }));
	assert.equal(state.shown.length, 301);
	state.miss(400);
	state.miss(401);
	assert.equal(state.shown.at(-1).whole, null);
	assert.equal(state.shown.at(-1).at, 400);
	assert.equal(state.shown.at(-2).pools.get("web").rate, 1);
});

test("quantiles are of counts, and of nothing there is none", () => {
	const counts = [[1000, 90], [5000, 9], [70000, 1]];
	assert.equal(quantile(counts, 0.5), 1);
	assert.equal(quantile(counts, 0.9), 1);
	assert.equal(quantile(counts, 0.91), 5);
	assert.equal(quantile(counts, 0.999), 70);
	assert.equal(quantile([], 0.5), null);
});

test("what was added and what is together are in order", () => {
	assert.deepEqual(added([[1, 5], [2, 7], [3, 1]], [[1, 5], [2, 4]]), [[2, 3], [3, 1]]);
	assert.deepEqual(together([[[1, 5], [9, 1]], [[1, 2], [4, 3]]]), [[1, 7], [4, 3], [9, 1]]);
	assert.deepEqual(together([]), []);
});

test("a balancer of before has no times of the last minute", () => {
	const one = reading({ recent: null });
	for (const of of [one.status.listeners[0], one.pools.pools[0], one.pools.pools[0].servers[0]])
		delete of.recent;
	const seen = new State().take(0, one);
	assert.equal(seen.listeners[0].p99, null);
	assert.equal(seen.servers[0].p99, null);
});

test("times of servers and listeners are those of the last minute", () => {
	const recent = { count: 9, p50_ms: 1, p90_ms: 2, p99_ms: 3, p999_ms: 4 };
	const seen = after({ recent });
	assert.equal(seen.servers[0].p99, 3);
	assert.equal(seen.listeners[0].p999, 4);
	assert.equal(after({}).servers[0].p99, null);
});

/* What a balancer says of one that has so many requests each five seconds, of pool `web`,
 * and has just taken a sample `since` ms ago. */
function history(requests, { since = 0, pid = 1 } = {}) {
	const all = requests.map(() => 0);
	const series = { requests, errors: all, in_flight: all, waiting: all,
		p50_ms: all, p90_ms: all, p99_ms: requests, p999_ms: all };
	return { pid, now_ms: 5000 * requests.length + since, took_ms: all.map(() => 5000),
		 at_ms: requests.map((_, i) => 5000 * (i + 1)),
		 whole: series, pools: [{ name: "web", ...series }] };
}

const timesOf = (state) => state.shown.map(({ at }) => at);

test("points begin with what the balancer remembers, and go on without a hole", () => {
	const state = new State();
	assert.equal(state.lacks(100, 1), 61);
	state.fill(100, history([50, null, 100], { since: 2000 }));
	state.take(100, reading({ requests: 1000 }));
	assert.deepEqual(timesOf(state), [88, 93, 98]);
	assert.deepEqual(state.shown.map(({ whole }) => whole && whole.rate), [10, null, 20]);
	assert.equal(state.shown[2].pools.get("web").p99, 100);
	assert.equal(state.lacks(101, 1), 0);
	state.take(101, reading({ requests: 1030 }));
	assert.deepEqual(timesOf(state), [88, 93, 98, 101]);
	assert.equal(state.shown[3].whole.rate, 30);
});

test("what was seen already is not taken from the history again", () => {
	const state = new State();
	state.take(100, reading());
	state.take(101, reading({ requests: 10 }));
	state.miss(102);
	assert.equal(state.lacks(130, 1), 7);
	state.fill(130, history([1, 2, 3, 4, 5, 6], { since: 1000 }));
	state.take(130, reading({ requests: 20 }));
	assert.deepEqual(timesOf(state), [100, 101, 102, 104, 109, 114, 119, 124, 129, 130]);
});

test("another process's history is asked for, and follows on what was seen", () => {
	const state = new State();
	for (const at of [100, 101, 102])
		state.take(at, reading({ requests: at }));
	assert.equal(state.lacks(103, 2), 2);
	state.fill(103, history([]));
	state.take(103, reading({ pid: 2 }));
	state.take(104, reading({ pid: 2, requests: 7 }));
	assert.deepEqual(timesOf(state), [100, 101, 102, 104]);
	assert.equal(state.shown.at(-1).whole.rate, 7);
});

test("a page that slept for longer than is shown begins anew", () => {
	const state = new State();
	state.take(100, reading());
	state.take(101, reading({ requests: 10 }));
	assert.equal(state.lacks(1000, 2), 61);
	state.fill(1000, history([]));
	state.take(1000, reading({ pid: 2 }));
	assert.deepEqual(timesOf(state), []);
	state.take(1001, reading({ pid: 2, requests: 1 }));
	assert.deepEqual(timesOf(state), [1001]);
});

test("nothing is shown that is older than five minutes", () => {
	const state = new State();
	state.fill(1000, history(Array(120).fill(1)));
	state.take(1000, reading());
	assert.equal(timesOf(state)[0], 700);
	assert.equal(timesOf(state).length, 60);
});
