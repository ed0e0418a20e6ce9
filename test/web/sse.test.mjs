/* Goal: events are the same however their text was cut. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Lines } from "../../web/sse.js";

const text = "id: 7\n\n:\n\nid: 8\ndata: {\"a\":1}\n\ndata: one\ndata:two\n\nretry: 5\n\n";
const events = [{ id: "7", data: null }, { id: "8", data: "{\"a\":1}" },
	{ id: null, data: "one\ntwo" }];

test("numbers, data and comments are told apart", () => {
	assert.deepEqual(new Lines().take(text), events);
});

test("every cut gives the same", () => {
	for (let i = 0; i <= text.length; i++) {
		const lines = new Lines();
		assert.deepEqual([...lines.take(text.slice(0, i)), ...lines.take(text.slice(i))],
			events, `cut at ${i}`);
	}
	const lines = new Lines();
	assert.deepEqual([...text].flatMap((one) => lines.take(one)), events);
});

test("what is not whole is not told", () => {
	assert.deepEqual(new Lines().take("data: {\"a\":"), []);
});
