/* Goal: figures are short, aligned, and say what they are not known. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, count, ms, percent, rate, several, span, stepsOf, tick } from "../../web/text.js";

const table = (write, rows) => {
	for (const [given, text] of rows)
		assert.equal(write(given), text, `of ${given}`);
};

test("what is not known is a dash, and not zero", () => {
	for (const write of [count, rate, ms])
		for (const unknown of [null, undefined])
			assert.equal(write(unknown), "–");
	assert.equal(count(0), "0");
	assert.equal(rate(0), "0");
	assert.equal(ms(0), "0.00");
});

test("rates have a tenth while they are small", () => {
	table(rate, [[0.04, "0.0"], [9.94, "9.9"], [9.96, "10"], [12345.6, "12,346"]]);
});

test("milliseconds have three digits", () => {
	table(ms, [[0.123, "0.12"], [9.994, "9.99"], [9.996, "10.0"], [99.94, "99.9"],
		[99.96, "100"], [1234, "1,234"]]);
});

test("parts and numbers of things", () => {
	table(percent, [[0, "0.00 %"], [0.0512, "5.12 %"], [0.5, "50.0 %"], [1, "100.0 %"]]);
	assert.equal(several(1, "server"), "1 server");
	assert.equal(several(0, "server"), "0 servers");
	assert.equal(several(2, "entry", "entries"), "2 entries");
});

test("times that have passed have their two largest units", () => {
	table(span, [[0.9, "0 s"], [59, "59 s"], [60, "1 min"], [61, "1 min 1 s"],
		[3600, "1 h"], [3661, "1 h 1 min"], [90000, "1 d 1 h"], [86400 * 3, "3 d"]]);
});

test("axes are short", () => {
	table(tick, [[0, "0"], [0.25, "0.25"], [1500, "1.5k"], [2e6, "2M"]]);
	table(ago, [[0.3, "now"], [15, "−0:15"], [59.9, "−1 min"], [90, "−1:30"], [240, "−4 min"]]);
	assert.deepEqual(stepsOf(60), [40, 20, 0]);
	assert.deepEqual(stepsOf(300), [240, 120, 0]);
	for (let shown = 60; shown <= 300; shown++)
		assert.ok(stepsOf(shown).length >= 2 && stepsOf(shown).length <= 4, `${shown}`);
});
