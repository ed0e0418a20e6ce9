/* Goal: sorting is as people count and stays, and a filter finds by what one sees. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { compare, fitting, sorted } from "../../web/order.js";

const servers = [
	{ key: "b", name: "S10", address: "10.0.0.1:80", pool: "web", state: "up", reason: "" },
	{ key: "a", name: "S2", address: "10.0.0.2:80", pool: "web", state: "down",
	  reason: "connection refused" },
	{ key: "c", address: "10.0.0.30:80", pool: "api", state: "draining", reason: "" },
];
const keys = (some) => some.map(({ key }) => key).join("");
const by = (value, direction) => keys(sorted(servers, value, direction));

test("numbers in texts count as numbers", () => {
	assert.ok(compare("S2", "S10") < 0);
	assert.ok(compare("10.0.0.9:80", "10.0.0.30:80") < 0);
	assert.ok(compare(undefined, "a") < 0);
});

test("what is not known is less than zero", () => {
	assert.ok(compare(null, 0) < 0);
	assert.ok(compare(3, 20) < 0);
});

test("both directions, and equal ones stay by their keys", () => {
	assert.equal(by((s) => s.address, "ascending"), "bac");
	assert.equal(by((s) => s.address, "descending"), "cab");
	assert.equal(by(() => 1, "ascending"), "abc");
	assert.equal(by(() => 1, "descending"), "abc");
	assert.equal(keys(servers), "bac", "the list itself stays as it was");
});

test("words, pools and states find servers", () => {
	const find = (what) => keys(fitting(servers, { words: "", pool: "", state: "", ...what }));
	assert.equal(find({}), "bac");
	assert.equal(find({ words: "  REFUSED s2 " }), "a");
	assert.equal(find({ words: "s2 nowhere" }), "");
	assert.equal(find({ pool: "api" }), "c");
	assert.equal(find({ state: "!up" }), "ac");
	assert.equal(find({ state: "up", pool: "web" }), "b");
	assert.equal(find({ words: "undefined" }), "");
});
