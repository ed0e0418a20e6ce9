/* Goal: rates and quantiles are what the counters say, over restarts and gaps, too. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { State, added, quantile, together } from "../../web/state.js";

const none = { count: 0, p50_ms: 0, p90_ms: 0, p99_ms: 0, p999_ms: 0 };
const answers = (bad = 0) =>
	({ none: 0, "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": bad });

/* One server in one pool behind one listener, after so many requests. */
function reading({ requests = 0, bad = 0, failures = 0, pid = 1, kind = "http",
		   counts = [], leaving = [], servers } = {}) {
	const figures = { requests, responses: answers(bad), times: none };
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
