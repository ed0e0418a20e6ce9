/* Goal: a drawing of shares is whole, and each server has one shape in it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { arc, shapes } from "../../web/ring.js";

const numbers = (d) => d.match(/-?\d+(\.\d+)?/g).map((n) => Number(n) || 0);

test("a quarter goes from the top to the right", () => {
	assert.deepEqual(numbers(arc(0, 0.25)).slice(0, 2), [0, -100]);
	assert.deepEqual(numbers(arc(0, 0.25)).slice(7, 9), [100, 0]);
});

test("a whole ring is a ring: neither of its arcs ends where it begins", () => {
	const all = numbers(arc(0, 1));
	assert.deepEqual([all[0], all[16]], [0, 0]);
	assert.notEqual(all[7], 0);
	assert.notEqual(all[9], 0);
});

test("runs of one server are one shape, nobody's too", () => {
	const made = shapes([[0, 2], [1, 1], [0, 1], [-1, 4], [2, 0]]);
	assert.deepEqual(made.map(([place]) => place), [0, 1, -1]);
	assert.equal(made[0][1].match(/M/g).length, 2);
	assert.equal(made[2][1], arc(0.5, 1));
});
