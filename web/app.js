/* app.js - the page: asks each second, and shows what it is told. */

import { ask, setToken, token } from "./api.js";
import { addServer, askToken, changeServer, scalePool, whenDone } from "./dialogs.js";
import { byId, element, fillChoice, setAttribute, write } from "./dom.js";
import { follow } from "./events.js";
import { fitting } from "./order.js";
import { Plots } from "./plots.js";
import { Ring } from "./ring.js";
import { SHOWN_S, State } from "./state.js";
import { Table } from "./table.js";
import { count, ms, rate, several, span } from "./text.js";

const EACH_MS = 1000;
const HIDDEN_MS = 5000;		// while nobody looks
const SAID_MS = 15000;

const state = new State();
let seen = null;		// the last that was shown
let version = null;		// that this page came from

const bad = (n) => n > 0 ? "bad" : "";
const figure = (id, title, value, text = count, more = {}) =>
	({ id, title, value, text: (item) => text(value(item)), number: true, ...more });
const sum = { rank: "sum" };
const LATE = "Of the requests of the last 40 to 60 seconds";
const times = (help) => [
	figure("p50", "p50 ms", (one) => one.p50, ms, { help }),
	figure("p90", "p90 ms", (one) => one.p90, ms, { help, rank: "minor" }),
	figure("p99", "p99 ms", (one) => one.p99, ms, { help }),
	figure("p999", "p99.9 ms", (one) => one.p999, ms, { help, rank: "minor" }),
];
const errors = figure("errors", "Errors/s", (one) => one.errors, rate,
	{ tone: (one) => bad(one.errors) });

/* A state has a shape, a colour and a word. */
function showState(cell, one) {
	if (cell.firstChild?.textContent !== one.state)
		cell.replaceChildren(element("span", { class: "state", "data-state": one.state },
			one.state));
}

/* A button of a row, for what the row shows at that moment. */
function showButton(cell, item, text, label, act) {
	cell.item = item;
	const button = cell.firstChild ?? element("button",
		{ type: "button", onclick: () => act(cell.item) });
	if (!cell.firstChild)
		cell.append(button);
	write(button, text);
	setAttribute(button, "aria-label", label);
}

const listeners = new Table({
	label: "Listeners", place: byId("listeners"), columns: [
		{ id: "address", title: "Address", heads: true, value: (l) => l.address },
		{ id: "kind", title: "Kind",
		  value: (l) => l.protocol === "resp" ? "kv, resp" : l.kind },
		{ id: "pools", title: "Leads to", value: (l) => l.pools.join(", ") },
		figure("connections", "Connections", (l) => l.connections),
		figure("accepts", "New/s", (l) => l.accepts, rate),
		figure("rate", "Requests/s", (l) => l.rate, rate), errors,
		...times(LATE),
		figure("requests", "Requests", (l) => l.requests, count, sum),
	],
});

const pools = new Table({
	label: "Pools", place: byId("pools"), columns: [
		{ id: "name", title: "Pool", heads: true, value: (p) => p.name },
		{ id: "balance", title: "Policy", value: (p) => p.balance },
		{ id: "up", title: "Up", number: true, value: (p) => p.up,
		  text: (p) => `${p.up} of ${p.servers.length}`,
		  tone: (p) => bad(p.servers.filter((s) => s.state === "down").length) },
		figure("rate", "Requests/s", (p) => p.rate, rate), errors,
		figure("in_flight", "In flight", (p) => p.in_flight),
		figure("waiting", "Waiting", (p) => p.waiting),
		...times("Of the requests of the last 10 seconds"),
		figure("retries", "Retries", (p) => p.retries, count, sum),
		figure("requests", "Requests", (p) => p.requests, count, sum),
		{ id: "act", title: "Change", unseen: true, show: showPoolButton },
	],
});

function showPoolButton(cell, pool) {
	if (pool.owned)
		showButton(cell, pool, "Scale", `Scale pool ${pool.name}`, scalePool);
	else if (pool.of === "servers")
		showButton(cell, pool, "Add", `Add a server to ${pool.name}`, addServer);
}

function showServerButton(cell, server) {
	if (server.state !== "leaving")
		showButton(cell, server, "Change", `Change ${server.address} in ${server.pool}`,
			(one) => changeServer(one, seen.servers));
}

const servers = new Table({
	label: "Servers", place: byId("servers"),
	sort: { id: "pool", direction: "ascending" }, columns: [
		{ id: "state", title: "State", value: (s) => s.state, show: showState },
		{ id: "server", title: "Server", heads: true, value: (s) => s.name || s.address,
		  text: (s) => s.name ? `${s.name} ${s.address}` : s.address },
		{ id: "pool", title: "Pool", value: (s) => s.pool },
		figure("weight", "Weight", (s) => s.weight),
		figure("rate", "Requests/s", (s) => s.rate, rate), errors,
		figure("in_flight", "In flight", (s) => s.in_flight),
		...times(`${LATE}, up to the head of the answer`),
		figure("requests", "Requests", (s) => s.requests, count, sum),
		figure("failures", "Failures", (s) => s.failures, count, sum),
		{ id: "reason", title: "Reason", value: (s) => s.reason },
		{ id: "act", title: "Change", unseen: true, sorts: false, show: showServerButton },
	],
});

const made = new Table({
	label: "Servers that pools made", place: byId("made"), columns: [
		{ id: "state", title: "State", value: (m) => m.state, show: showState },
		{ id: "server", title: "Name", heads: true, value: (m) => m.name },
		{ id: "pool", title: "Pool", value: (m) => m.pool },
		{ id: "address", title: "Address", value: (m) => m.address },
		{ id: "since", title: "Since", number: true, value: (m) => m.since_ms,
		  text: (m) => span(m.since_ms / 1000) },
		{ id: "id", title: "Id", value: (m) => m.id.slice(0, 12) },
		{ id: "reason", title: "Why", value: (m) => m.why },
	],
});

const plots = new Plots(byId("plots"));
const ring = new Ring();

const totals = [
	["Requests/s", (t) => rate(t.rate)],
	["Errors/s", (t) => rate(t.errors), (t) => bad(t.errors)],
	["p50 ms", (t) => ms(t.p50)],
	["p90 ms", (t) => ms(t.p90), null, "minor"],
	["p99 ms", (t) => ms(t.p99)],
	["p99.9 ms", (t) => ms(t.p999), null, "minor"],
	["In flight", (t) => count(t.inFlight)],
	["Waiting", (t) => count(t.waiting)],
	["Connections", (t) => count(t.connections)],
	["Servers up", (t) => `${t.up} of ${t.servers}`, (t) => bad(t.down)],
].map(([title, text, tone, rank]) => {
	const value = element("dd", {}, "–");
	byId("totals").append(element("div", { class: rank }, element("dt", {}, title), value));
	return (now) => {
		write(value, text(now));
		value.dataset.tone = tone?.(now) ?? "";
	};
});

/* ---- the servers that are asked for ---- */

function showServers() {
	const all = seen.servers.length;
	const some = fitting(seen.servers, { words: byId("find").value,
		pool: byId("of-pool").value, state: byId("of-state").value });
	servers.show(some);
	write(byId("count"), some.length === all ? several(all, "server")
		: `${some.length} of ${several(all, "server")}`);
}

byId("filter").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["find", "of-pool", "of-state"])
	byId(id).addEventListener("input", () => seen && showServers());
for (const column of servers.columns)
	if (column.sorts !== false)
		byId("sort").append(element("option", { value: column.id }, column.title));
byId("sort").value = servers.sort.id;
byId("sort").addEventListener("input", () => servers.sortBy(byId("sort").value));
servers.onsort = ({ id }) => {
	byId("sort").value = id;
};

servers.onlost = () => byId("servers-title").focus({ preventScroll: true });

/* ---- what pools made ---- */

function showOwned() {
	const owners = seen.pools.filter((pool) => pool.owned);
	byId("owned").hidden = owners.length === 0;
	const lines = owners.map(({ name, owned: o }) =>
		`${name}: ${o.wanted} wanted, ${o.serving} serving, ${o.starting} starting, ` +
		`${o.leaving} leaving; ${o.min} to ${o.max} by ${o.driver}` +
		(o.trouble ? `. Trouble: ${o.trouble}` : ""));
	const list = byId("owners");
	while (list.children.length > lines.length)
		list.lastChild.remove();
	lines.forEach((line, i) => {
		if (!list.children[i])
			list.append(element("li"));
		write(list.children[i], line);
		list.children[i].dataset.tone = owners[i].owned.trouble ? "bad" : "";
	});
	made.show(owners.flatMap((pool) => pool.owned.servers.map((one) =>
		({ ...one, pool: pool.name, key: `${pool.name} ${one.name} ${one.id}` }))));
}

/* ---- each second ---- */

/* Why plots are shorter than they might be. */
function showBeginning({ pid, uptime_s: uptime }) {
	const place = byId("plots-note");
	place.hidden = uptime >= SHOWN_S;
	if (place.hidden || place.dataset.pid === String(pid))
		return;
	const since = new Date(Date.now() - uptime * 1000).toLocaleTimeString("en-GB");
	place.dataset.pid = pid;
	write(place, `Process ${pid} began at ${since}, and knows nothing of before.`);
}

function show() {
	const { status } = seen;
	version ??= status.version;
	byId("old").hidden = version === status.version;
	write(byId("name"), status.name);
	document.title = `${status.name}: ${status.servers_up} of ${status.servers} up`;
	write(byId("facts"), [`version ${status.version}`, `process ${status.pid}`,
		`up ${span(status.uptime_s)}`, status.state !== "running" && status.state]
		.filter(Boolean).join(" · "));
	const names = seen.pools.map((pool) => pool.name);
	for (const total of totals)
		total(seen.totals);
	listeners.show(seen.listeners);
	pools.show(seen.pools);
	fillChoice(byId("of-pool"), names, 1);
	showServers();
	showOwned();
	plots.show(state.shown, names);
	showBeginning(status);
	ring.show(seen.pools);
}

/* How it stands with the balancer: in the corner, and aloud where that changes. What is
 * shown and may not be true any more is pale. */
function tellLink(text, tone, more = "") {
	write(byId("link"), text);
	byId("link").dataset.tone = tone;
	write(byId("lost"), more);
	document.body.classList.toggle("stale", tone !== "good" && seen !== null);
	byId("forget").hidden = token() === null;
	byId("token").hidden = !needsToken;
}

let needsToken = false, lostAt = null, saidAt = 0, again = null, turning = false;

function tellLost(error) {
	state.miss(performance.now() / 1000);
	if (error.status) {
		tellLink("refused", "bad", `The balancer refuses to tell: ${error.message}.`);
		return;
	}
	lostAt ??= new Date().toLocaleTimeString("en-GB");
	tellLink("no answer", "bad", `The balancer does not answer, and has not since ${lostAt}. ` +
		"What is shown is from before; this page asks again each second, and goes on by " +
		"itself. On its machine, balancerctl status says whether it runs.");
}

function needToken(error) {
	const wrong = token() !== null ? error.message : null;
	needsToken = true;
	setToken(null);
	tellLink("a token is needed", "bad");
	askToken(wrong);
}

/* null: a balancer of before that has none. */
async function askHistory(last) {
	try {
		return await ask("GET", `/v1/history?last=${last}`);
	} catch (error) {
		if (error.status === 404)
			return null;
		throw error;
	}
}

async function poll() {
	try {
		/* First one alone: where a token is needed, the rest would be refused as well. */
		const status = await ask("GET", "/v1/status");
		const lacks = state.lacks(performance.now() / 1000, status.pid);
		const [all, counted, leaving, history] = await Promise.all([
			...["/v1/pools", "/v1/times", "/v1/leaving"].map((path) => ask("GET", path)),
			lacks > 0 ? askHistory(lacks) : null]);
		needsToken = false;
		lostAt = null;
		const at = performance.now() / 1000;
		if (history?.pid === status.pid)
			state.fill(at, history);
		seen = state.take(at, { status, pools: all, times: counted, leaving });
		show();
		tellLink("live", "good");
	} catch (error) {
		if (error.status === 401)
			needToken(error);
		else
			tellLost(error);
	}
}

/* Without a token nothing is asked until there is one. */
async function turn() {
	if (turning)
		return;
	clearTimeout(again);
	turning = true;
	const began = performance.now();
	await poll();
	turning = false;
	if (began - saidAt > SAID_MS)
		write(byId("said"), "");
	const each = document.hidden ? HIDDEN_MS : EACH_MS;
	if (!needsToken)
		again = setTimeout(turn, Math.max(100, each - (performance.now() - began)));
}

whenDone((said) => {
	saidAt = performance.now();
	write(byId("said"), said);
	needsToken = false;
	turn();
});
byId("reload").addEventListener("click", () => location.reload());
byId("token").addEventListener("click", () => askToken(null));
byId("forget").addEventListener("click", () => {
	setToken(null);
	location.reload();
});
document.addEventListener("visibilitychange", () => !document.hidden && !needsToken && turn());

turn();
follow();
