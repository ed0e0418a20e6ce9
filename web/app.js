/* app.js - the page: asks each second, and shows what it is told. */

import { ask, hasToken, setToken } from "./api.js";
import { addServer, askToken, changeServer, scalePool, whenDone } from "./dialogs.js";
import { follow } from "./events.js";
import { Plots } from "./plots.js";
import { Ring } from "./ring.js";
import { State } from "./state.js";
import { Table } from "./table.js";
import { byId, count, element, ms, rate, span, write } from "./text.js";

const EACH_MS = 1000;
const SAID_MS = 15000;

const state = new State();
let seen = null;		// the last that was shown

const bad = (n) => n > 0 ? "bad" : null;
const figure = (id, title, value, text = count, help) =>
	({ id, title, value, text: (item) => text(value(item)), number: true, help });

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
	if (button.getAttribute("aria-label") !== label)
		button.setAttribute("aria-label", label);
}

const listeners = new Table({
	label: "Listeners", place: byId("listeners"), columns: [
		{ id: "address", title: "Address", value: (l) => l.address },
		{ id: "kind", title: "Kind",
		  value: (l) => l.protocol === "resp" ? "kv, resp" : l.kind },
		{ id: "pools", title: "Leads to", value: (l) => l.pools.join(", ") },
		figure("connections", "Connections", (l) => l.connections),
		figure("accepts", "New/s", (l) => l.accepts, rate),
		figure("rate", "Requests/s", (l) => l.rate, rate),
		{ ...figure("errors", "Errors/s", (l) => l.errors, rate), tone: (l) => bad(l.errors) },
		figure("requests", "Requests", (l) => l.requests),
	],
});

const pools = new Table({
	label: "Pools", place: byId("pools"), columns: [
		{ id: "name", title: "Pool", value: (p) => p.name },
		{ id: "balance", title: "Policy", value: (p) => p.balance },
		{ id: "up", title: "Up", number: true, value: (p) => p.up,
		  text: (p) => `${p.up} of ${p.servers.length}`,
		  tone: (p) => bad(p.servers.some((s) => s.state === "down")) },
		figure("rate", "Requests/s", (p) => p.rate, rate),
		{ ...figure("errors", "Errors/s", (p) => p.errors, rate), tone: (p) => bad(p.errors) },
		figure("in_flight", "In flight", (p) => p.in_flight),
		figure("waiting", "Waiting", (p) => p.waiting),
		figure("p50", "p50 ms", (p) => p.p50, ms),
		figure("p99", "p99 ms", (p) => p.p99, ms),
		figure("retries", "Retries", (p) => p.retries),
		figure("requests", "Requests", (p) => p.requests),
		{ id: "act", title: "Change", unseen: true, show: showPoolButton },
	],
});

function showPoolButton(cell, pool) {
	if (pool.owned)
		showButton(cell, pool, "Scale", `Scale pool ${pool.name}`, scalePool);
	else if (pool.of === "servers")
		showButton(cell, pool, "Add", `Add a server to ${pool.name}`, addServer);
}

const servers = new Table({
	label: "Servers", place: byId("servers"),
	sort: { id: "pool", direction: "ascending" }, columns: [
		{ id: "state", title: "State", value: (s) => s.state, show: showState },
		{ id: "server", title: "Server", value: (s) => s.name || s.address,
		  text: (s) => s.name ? `${s.name} ${s.address}` : s.address },
		{ id: "pool", title: "Pool", value: (s) => s.pool },
		figure("weight", "Weight", (s) => s.weight),
		figure("rate", "Requests/s", (s) => s.rate, rate),
		{ ...figure("errors", "Errors/s", (s) => s.errors, rate), tone: (s) => bad(s.errors) },
		figure("in_flight", "In flight", (s) => s.in_flight),
		figure("p50", "p50 ms", (s) => s.p50, ms),
		figure("p99", "p99 ms", (s) => s.p99, ms),
		figure("requests", "Requests", (s) => s.requests),
		figure("failures", "Failures", (s) => s.failures),
		{ id: "reason", title: "Reason", value: (s) => s.reason },
		{ id: "act", title: "Change", unseen: true, sorts: false, show: (cell, server) =>
			server.state !== "leaving" && showButton(cell, server, "Change",
				`Change ${server.address} in ${server.pool}`,
				(one) => changeServer(one, seen.servers)) },
	],
});

const made = new Table({
	label: "Servers that pools made", place: byId("made"), columns: [
		{ id: "name", title: "Name", value: (m) => m.name },
		{ id: "pool", title: "Pool", value: (m) => m.pool },
		{ id: "state", title: "State", value: (m) => m.state, show: showState },
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
	["p99 ms", (t) => ms(t.p99)],
	["In flight", (t) => count(t.inFlight)],
	["Waiting", (t) => count(t.waiting)],
	["Connections", (t) => count(t.connections)],
	["Servers up", (t) => `${t.up} of ${t.servers}`, (t) => bad(t.down)],
].map(([title, text, tone]) => {
	const value = element("dd");
	byId("totals").append(element("div", {}, element("dt", {}, title), value));
	return (now) => {
		write(value, text(now));
		value.dataset.tone = tone?.(now) ?? "";
	};
});

/* ---- the servers that are asked for ---- */

function showServers() {
	const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
	const pool = byId("of-pool").value, wanted = byId("of-state").value;
	const fitting = seen.servers.filter((server) => {
		const text = [server.address, server.name, server.pool, server.state, server.reason]
			.join(" ").toLowerCase();
		return words.every((word) => text.includes(word)) &&
			(!pool || server.pool === pool) &&
			(!wanted || (wanted === "!up" ? server.state !== "up"
				: server.state === wanted));
	});
	servers.show(fitting);
	const all = seen.servers.length;
	write(byId("count"), fitting.length === all ? `${all} servers`
		: `${fitting.length} of ${all} servers`);
}

function showPoolNames() {
	const select = byId("of-pool"), names = seen.pools.map((pool) => pool.name);
	const there = [...select.options].slice(1).map((option) => option.value);
	if (names.join("\n") === there.join("\n"))
		return;
	const before = select.value;
	select.replaceChildren(element("option", { value: "" }, "all"), ...names.map((name) =>
		element("option", { value: name, selected: name === before }, name)));
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

function show() {
	const { status } = seen;
	write(byId("name"), status.name);
	document.title = `${status.name}: ${status.servers_up} of ${status.servers} up`;
	write(byId("facts"), [`version ${status.version}`, `pid ${status.pid}`,
		`up ${span(status.uptime_s)}`, status.state !== "running" && status.state]
		.filter(Boolean).join(" · "));
	for (const total of totals)
		total(seen.totals);
	listeners.show(seen.listeners);
	pools.show(seen.pools);
	showPoolNames();
	showServers();
	showOwned();
	plots.show(state.shown, seen.pools.map((pool) => pool.name));
	ring.show(seen.pools);
}

function tellLink(text, tone) {
	write(byId("link"), text);
	byId("link").dataset.tone = tone;
	byId("token").hidden = !hasToken();
}

async function poll() {
	try {
		const [status, all, times, leaving] = await Promise.all(
			["/v1/status", "/v1/pools", "/v1/times", "/v1/leaving"]
				.map((path) => ask("GET", path)));
		seen = state.take(performance.now() / 1000,
			{ status, pools: all, times, leaving });
		show();
		tellLink("live", "good");
	} catch (error) {
		if (error.status === 401) {
			tellLink("a token is needed", "bad");
			askToken(error.message);
		} else {
			tellLink(error.status ? error.message : "the balancer does not answer", "bad");
		}
	}
}

let saidAt = 0, again = null;

async function turn() {
	clearTimeout(again);
	const began = performance.now();
	await poll();
	if (began - saidAt > SAID_MS)
		write(byId("said"), "");
	clearTimeout(again);
	again = setTimeout(turn, Math.max(100, EACH_MS - (performance.now() - began)));
}

whenDone((said) => {
	saidAt = performance.now();
	write(byId("said"), said);
	turn();
});
byId("token").addEventListener("click", () => {
	setToken(null);
	turn();
});

turn();
follow();
