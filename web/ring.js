/* ring.js - which part of all keys each server of a pool has: drawn, and as a table. */

import { ask, pathOf } from "./api.js";
import { Table } from "./table.js";
import { byId, element, percent, write } from "./text.js";

const BY_KEY = ["ring", "maglev", "slots", "rendezvous"];
const COLOURS = 6;		// that are chosen; more are taken around the circle of hues
const AGAIN_MS = 5000;		// without a known reason: loads may be bounded

const svg = (name, attributes) => {
	const made = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const [key, value] of Object.entries(attributes))
		made.setAttribute(key, value);
	return made;
};

/* A part of a ring; from and to are parts of the whole turn. */
function arc(from, to) {
	const [inner, outer] = [66, 100];
	const end = Math.min(to, from + 0.99999);
	const at = (radius, turn) => [radius * Math.sin(2 * Math.PI * turn),
		-radius * Math.cos(2 * Math.PI * turn)].map((n) => n.toFixed(2)).join(" ");
	const large = end - from > 0.5 ? 1 : 0;
	return `M${at(outer, from)}A${outer} ${outer} 0 ${large} 1 ${at(outer, end)}` +
		`L${at(inner, end)}A${inner} ${inner} 0 ${large} 0 ${at(inner, from)}Z`;
}

function paint(node, i, count) {
	if (i < 0)
		node.setAttribute("class", "nobody");
	else if (count <= COLOURS)
		node.setAttribute("class", `fill-${i + 1}`);
	else
		node.setAttribute("fill", `hsl(${(i * 137.5) % 360} 52% ${48 + (i % 3) * 7}%)`);
}

export class Ring {
	constructor() {
		this.chosen = byId("ring-pool");
		this.chosen.addEventListener("change", () => this.#fetch());
		this.table = new Table({
			label: "Shares of the servers", place: byId("shares"),
			sort: { id: "share", direction: "descending" },
			columns: [
				{ id: "of", title: "Server", value: (one) => one.address,
				  show: (cell, one) => this.#name(cell, one) },
				{ id: "share", title: "Share", number: true,
				  value: (one) => one.share, text: (one) => percent(one.share) },
				{ id: "by_weight", title: "By weight", number: true,
				  value: (one) => one.by_weight,
				  text: (one) => percent(one.by_weight) },
			],
		});
		this.table.body.addEventListener("pointerover", (event) =>
			this.#point(event.target.closest("tr")));
		this.table.body.addEventListener("pointerleave", () => this.#point(null));
	}

	#name(cell, one) {
		if (cell.textContent === one.address)
			return;
		const swatch = svg("svg", { viewBox: "0 0 10 10", class: "swatch",
			"aria-hidden": "true" });
		const square = svg("rect", { width: 10, height: 10, rx: 2 });
		paint(square, one.place, one.count);
		swatch.append(square);
		cell.replaceChildren(swatch, one.address);
		cell.parentNode.dataset.place = one.place;
	}

	/* One server's parts stand out. */
	#point(row) {
		const place = row?.dataset.place;
		byId("ring").classList.toggle("points", place !== undefined);
		for (const part of byId("ring").children)
			part.classList.toggle("pointed", part.dataset.place === place);
	}

	/* Asks anew where the pool's servers are not what they were. */
	show(pools) {
		const keyed = pools.filter((pool) => BY_KEY.includes(pool.balance) &&
			pool.servers.length > 0);
		byId("rings").hidden = keyed.length === 0;
		const names = keyed.map((pool) => pool.name);
		const there = [...this.chosen.options].map((option) => option.value);
		if (names.join("\n") !== there.join("\n")) {
			const before = this.chosen.value;
			this.chosen.replaceChildren(...names.map((name) =>
				element("option", { value: name, selected: name === before }, name)));
		}
		const pool = keyed.find((one) => one.name === this.chosen.value);
		if (!pool)
			return;
		const is = JSON.stringify([pool.name, pool.servers.map((server) =>
			[server.address, server.state, server.weight])]);
		if (is !== this.was || performance.now() - this.asked > AGAIN_MS)
			this.#fetch();
		this.was = is;
	}

	async #fetch() {
		const pool = this.chosen.value;
		this.asked = performance.now();
		try {
			const ring = await ask("GET", pathOf(pool, "ring"));
			if (pool === this.chosen.value)
				this.#draw(ring);
		} catch (error) {
			write(byId("ring-note"), error.message);
		}
	}

	#draw({ pool, policy, keys, servers, runs }) {
		const ring = byId("ring");
		/* Without an order of keys there is only how much each has. */
		const parts = runs ?? servers.map((server, i) => [i, server.share]);
		const whole = parts.reduce((sum, [, size]) => sum + size, 0);
		let from = 0;
		const drawn = [];
		for (const [place, size] of parts) {
			if (size === 0)
				continue;
			const part = svg("path", { d: arc(from / whole, (from + size) / whole) });
			part.dataset.place = place;
			paint(part, place, servers.length);
			drawn.push(part);
			from += size;
		}
		ring.replaceChildren(...drawn);
		const sorted = servers.toSorted((a, b) => b.share - a.share);
		ring.setAttribute("aria-label", `Keys of pool ${pool}: the most, ` +
			`${percent(sorted[0].share)}, has ${sorted[0].address}; the fewest, ` +
			`${percent(sorted.at(-1).share)}, has ${sorted.at(-1).address}`);
		write(byId("ring-note"), `${policy}, asked for ${keys.toLocaleString("en")} keys` +
			(runs ? ", clockwise" : "; drawn is only how many each has"));
		this.table.show(servers.map((server, place) => ({
			...server, place, count: servers.length,
			key: `${place} of ${servers.length} ${pool} ${server.address}`,
		})));
	}
}
