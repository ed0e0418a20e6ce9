/* dialogs.js - what can be changed from the page, each time after a question. What goes
 * wrong is said in the balancer's own words. */

import { ask, pathOf, reasonOf, setToken } from "./api.js";
import { byId, element, write } from "./dom.js";
import { ms, several } from "./text.js";

const dialog = byId("dialog");
let done = () => {};		// told what was changed

export function whenDone(f) {
	done = f;
}

/* { name, label, type: number | text | checkbox | password, value, hint, ... } */
function field({ name, label, type = "text", value, hint, ...more }) {
	const id = `field-${name}`;
	const described = hint ? `${id}-hint` : undefined;
	const input = element("input", {
		id, name, type, "aria-describedby": described, autocomplete: "off",
		spellcheck: "false", ...more, ...(type === "checkbox" ? { checked: value } : { value }),
	});
	const text = element("label", { for: id }, label);
	const below = hint ? element("p", { id: described, class: "note" }, hint) : null;
	return element("div", { class: type === "checkbox" ? "field check" : "field" },
		...(type === "checkbox" ? [input, text] : [text, input]), below);
}

function valuesOf(form) {
	const values = {};
	for (const input of form.querySelectorAll("input"))
		values[input.name] = input.type === "checkbox" ? input.checked
			: input.type === "number" ? input.valueAsNumber : input.value.trim();
	return values;
}

function open(...children) {
	dialog.replaceChildren(...children.filter(Boolean));
	if (!dialog.open)
		dialog.showModal();
	(dialog.querySelector("input, [data-first]") ?? dialog.querySelector("button")).focus();
}

function title(text) {
	return element("h2", { id: "dialog-title" }, text);
}

function cancel(text = "Cancel") {
	return element("button", { type: "button", onclick: () => dialog.close() }, text);
}

/* A question with one answer that does something: run(values) does it and returns what to
 * say then. */
function confirm({ heading, lines = [], fields = [], verb, bad = false, run }) {
	const wrong = element("p", { class: "wrong", role: "alert" });
	const act = element("button", { type: "submit", class: bad ? "bad" : "act" }, verb);
	const form = element("form", { novalidate: true }, title(heading),
		...lines.map((line) => element("p", {}, line)), ...fields.map(field), wrong,
		element("div", { class: "buttons" }, cancel(), act));
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (act.getAttribute("aria-disabled"))
			return;
		act.setAttribute("aria-disabled", "true");
		write(wrong, "");
		for (const input of form.querySelectorAll("[aria-invalid]"))
			input.removeAttribute("aria-invalid");
		try {
			const said = await run(valuesOf(form));
			dialog.close();
			done(said);
		} catch (error) {
			write(wrong, reasonOf(error));
			const input = form.querySelector(`input[name="${error.field}"]`);
			input?.setAttribute("aria-invalid", "true");
			input?.focus();
		}
		act.removeAttribute("aria-disabled");
	});
	open(form);
}

const lasting = {
	name: "temporary", label: "Only until the balancer is started again", type: "checkbox",
};

const inFlight = (n) => n === 0 ? "It has nothing in flight."
	: n === 1 ? "The one request it has goes on to its end."
		: `The ${n} requests it has go on to their end.`;

function others(server, servers) {
	const up = servers.filter((one) => one.pool === server.pool && one.state === "up" &&
		one.key !== server.key).length;
	return up === 0 ? `No other server of ${server.pool} is up: clients will wait, and fail.`
		: `${several(up, "other server")} of ${server.pool} ${up === 1 ? "is" : "are"} up.`;
}

function set(server, what) {
	return ask("PATCH", pathOf(server.pool, "servers", server.address), what);
}

function drain(server, servers) {
	confirm({
		heading: `Drain ${server.address}?`, verb: "Drain", fields: [lasting],
		lines: [`It gets no new work. ${inFlight(server.in_flight)}`,
			others(server, servers)],
		run: async ({ temporary }) => {
			await set(server, { drain: true, temporary });
			return `${server.address} is being drained.`;
		},
	});
}

function enable(server) {
	confirm({
		heading: `Enable ${server.address}?`, verb: "Enable", fields: [lasting],
		lines: [server.weight === 0 ? "Its weight is 0: it gets work once that is greater."
			: "It gets work again."],
		run: async ({ temporary }) => {
			await set(server, { drain: false, temporary });
			return `${server.address} is enabled.`;
		},
	});
}

function weigh(server) {
	confirm({
		heading: `Weight of ${server.address}`, verb: "Set weight",
		fields: [{ name: "weight", label: "Weight", type: "number", min: 0, step: 1,
			   value: server.weight, hint: "With 0 it gets no new work." }, lasting],
		run: async ({ weight, temporary }) => {
			await set(server, { weight: Number.isNaN(weight) ? null : weight, temporary });
			return `${server.address} has weight ${weight}.`;
		},
	});
}

function remove(server, servers) {
	confirm({
		heading: `Remove ${server.address} from ${server.pool}?`, verb: "Remove", bad: true,
		fields: server.owned ? [] : [lasting],
		lines: [server.owned ? `${server.name} is stopped when it has nothing in flight, ` +
				"and the pool has one fewer."
			: `It gets no new work. ${inFlight(server.in_flight)}`,
		others(server, servers)],
		run: async ({ temporary }) => {
			if (server.owned)
				await ask("POST", pathOf(server.pool, "owned", "remove"),
					{ count: 1, names: [server.name] });
			else
				await ask("DELETE", pathOf(server.pool, "servers", server.address) +
					(temporary ? "?temporary=1" : ""));
			return `${server.address} is removed from ${server.pool}.`;
		},
	});
}

const facts = [
	["State", (s) => s.state], ["Weight", (s) => s.weight],
	["In flight", (s) => s.in_flight], ["Requests", (s) => s.requests.toLocaleString("en")],
	["Failures", (s) => s.failures.toLocaleString("en")],
	["Answers of 500 and above", (s) => s.responses["5xx"].toLocaleString("en")],
	["p50, p90, p99, p99.9 ms", (s) => [s.p50, s.p90, s.p99, s.p999].map(ms).join(", ")],
	["Comes from", (s) => ({ file: "the file", change: "a change", command: "the command line",
				 worker: "itself", owned: "its pool",
				 srv: `SRV records of ${s.srv}` })[s.from] ?? s.from],
];

/* What is known of a server, and what can be done to it. */
export function changeServer(server, servers) {
	const choice = (text, then, bad) => element("button",
		{ type: "button", class: bad && "bad", onclick: () => then(server, servers) }, text);
	open(title(`${server.name ? `${server.name}, ` : ""}${server.address}, pool ${server.pool}`),
		server.reason && element("p", { class: "wrong" }, server.reason),
		element("div", { class: "choices" },
			server.drain ? choice("Enable…", enable) : choice("Drain…", drain),
			choice("Weight…", weigh),
			server.of !== "workers" && choice("Remove…", remove, true)),
		element("dl", { class: "facts-of" }, ...facts.map(([name, text]) =>
			element("div", {}, element("dt", {}, name),
				element("dd", {}, String(text(server)))))),
		server.temporary && element("p", { class: "note" },
			"What was changed of it does not last, or not all of it."),
		element("div", { class: "buttons" }, cancel("Close")));
}

export function addServer(pool) {
	confirm({
		heading: `Add a server to ${pool.name}`, verb: "Add",
		fields: [
			{ name: "address", label: "Address", placeholder: "127.0.0.1:8083" },
			{ name: "weight", label: "Weight", type: "number", min: 0, step: 1, value: 1 },
			{ name: "drain", label: "Drained at first", type: "checkbox" }, lasting],
		run: async ({ address, weight, drain: drained, temporary }) => {
			const made = await ask("POST", pathOf(pool.name, "servers"),
				{ address, drain: drained, temporary,
				  weight: Number.isNaN(weight) ? null : weight });
			return `${made.address} is added to ${pool.name}.`;
		},
	});
}

export function scalePool(pool) {
	const { wanted, min, max } = pool.owned;
	confirm({
		heading: `Scale ${pool.name}`, verb: "Scale",
		lines: ["More are started at once, and this waits until they serve. Of fewer, those " +
			"that go are chosen at random, and finish first what they have."],
		fields: [{ name: "count", label: "Servers", type: "number", min, max, step: 1,
			   value: wanted, hint: `${wanted} are wanted now; ${min} to ${max} may be.` }],
		run: async ({ count }) => {
			await ask("PUT", pathOf(pool.name, "owned"),
				{ count: Number.isNaN(count) ? null : count });
			return `${pool.name} has ${count} servers.`;
		},
	});
}

/* Asks for the token. wrong: what the balancer says of the one it was asked with. */
export function askToken(wrong) {
	if (dialog.open && dialog.querySelector("input[name=token]"))
		return;
	confirm({
		heading: "Token", verb: "Use it",
		lines: [wrong ? `The token is not taken any more: ${wrong}.`
			: "This balancer asks for a token: the first line of the file that stands " +
				"in its configuration behind “control … token”."],
		fields: [{ name: "token", label: "Token", type: "password",
			   hint: "It is kept in this tab, until that is closed." }],
		run: async ({ token }) => {
			setToken(token);
			try {
				await ask("GET", "/v1/status");
			} catch (error) {
				setToken(null);
				throw Object.assign(error, { field: "token" });
			}
			return "The token is right.";
		},
	});
}
