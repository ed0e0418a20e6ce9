/* ring.js - which part of all keys each server of a pool has: drawn, and as a table. */

import { ask, pathOf } from "./api.js";
import { byId, fillChoice, svg, write } from "./dom.js";
import { Table } from "./table.js";
import { count, percent } from "./text.js";

const BY_KEY = ["ring", "maglev", "slots", "rendezvous"];
const COLOURS = 6;		// that are chosen; more are taken around the circle of hues
const AGAIN_MS = 5000;		// without a known reason: loads may be bounded

/* A part of a ring; from and to are parts of the whole turn. An arc that ends where it
 * begins is none, so the whole ring is one with a gap that is too small to be seen. */
export function arc(from, to) {
	const [inner, outer] = [66, 100];
	const end = Math.min(to, from + 0.9998);
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

/* Without an order of keys there is only how much each has. */
function sharesOf(servers) {
	const shares = servers.map(({ share }, place) => [place, share]);
	const rest = 1 - shares.reduce((sum, [, share]) => sum + share, 0);
	return rest > 1e-9 ? [...shares, [-1, rest]] : shares;
}

/* [place, path] of all that each has, out of [place, size] around the ring. */
export function shapes(parts) {
	const whole = parts.reduce((sum, [, size]) => sum + size, 0);
	const paths = new Map();
	let from = 0;
	for (const [place, size] of parts) {
		if (size > 0)
			paths.set(place, (paths.get(place) ?? "") +
				arc(from / whole, (from + size) / whole));
		from += size;
	}
	return [...paths];
}

export class Ring {
	constructor() {
		this.chosen = byId("ring-pool");
		this.chosen.addEventListener("change", () => this.#fetch());
		this.table = new Table({
			label: "Shares of the servers", place: byId("shares"),
			sort: { id: "share", direction: "descending" },
			columns: [
				{ id: "of", title: "Server", heads: true, value: (one) => one.address,
				  show: (cell, one) => this.#name(cell, one) },
				{ id: "share", title: "Share", number: true,
				  value: (one) => one.share, text: (one) => percent(one.share) },
				{ id: "by_weight", title: "By weight", number: true,
				  value: (one) => one.by_weight,
				  text: (one) => percent(one.by_weight) },
			],
		});
		for (const place of [this.table.body, byId("ring")]) {
			place.addEventListener("pointerover", (event) => this.#point(
				event.target.closest("[data-place]")?.dataset.place));
			place.addEventListener("pointerleave", () => this.#point(undefined));
		}
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

	/* One server's parts stand out, and its row does. */
	#point(place) {
		byId("ring").classList.toggle("points", place !== undefined);
		for (const one of [...byId("ring").children, ...this.table.body.rows])
			one.classList.toggle("pointed",
				place !== undefined && one.dataset.place === place);
	}

	/* Asks anew where the pool's servers are not what they were. */
	show(pools) {
		const keyed = pools.filter((pool) => BY_KEY.includes(pool.balance) &&
			pool.servers.length > 0);
		byId("rings").hidden = keyed.length === 0;
		fillChoice(this.chosen, keyed.map((pool) => pool.name), 0);
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
			const is = JSON.stringify(ring);
			if (pool === this.chosen.value && is !== this.drawn)
				this.#draw(ring);
			this.drawn = is;
		} catch (error) {
			this.drawn = null;
			if (error.status)
				write(byId("ring-note"), error.message);
		}
	}

	#draw({ pool, policy, keys, servers, runs }) {
		const parts = runs ?? sharesOf(servers);
		byId("ring").replaceChildren(...shapes(parts).map(([place, d]) => {
			const one = servers[place];
			const path = svg("path", { d, "data-place": place }, svg("title", {},
				one ? `${one.address}: ${percent(one.share)}` : "nobody"));
			paint(path, place, servers.length);
			return path;
		}));
		const [most, ...rest] = servers.toSorted((a, b) => b.share - a.share);
		const least = rest.at(-1) ?? most;
		byId("ring").setAttribute("aria-label", `Keys of pool ${pool}: the most, ` +
			`${percent(most.share)}, has ${most.address}; the fewest, ` +
			`${percent(least.share)}, has ${least.address}`);
		write(byId("ring-note"), `${policy}, asked for ${count(keys)} keys` +
			(runs ? ", clockwise" : "; drawn is only how many each has"));
		this.table.show(servers.map((server, place) => ({
			...server, place, count: servers.length,
			key: `${place} of ${servers.length} ${pool} ${server.address}`,
		})));
	}
}
