/* events.js - what happens to the balancer, as it happens. */

import { listen, token } from "./api.js";
import { byId, element, write } from "./dom.js";

const KEPT = 200;
const FIRST = 100;
const AGAIN_MS = 2000;
const REFUSED_MS = 10000;	// after an answer that will not change in a moment
const BAD = ["server-down", "server-not-started", "server-left", "reload-refused",
	"upgrade-refused", "missed"];
const GOOD = ["server-up", "server-serves", "started"];

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const clock = (time) => new Date(time).toLocaleTimeString("en-GB");

function show(event) {
	const list = byId("events");
	const tone = BAD.includes(event.kind) ? "bad" : GOOD.includes(event.kind) ? "good" : "";
	const what = event.kind === "missed" ? `${event.count} events were missed`
		: event.kind.replaceAll("-", " ");
	const where = [event.server, event.pool && `pool ${event.pool}`].filter(Boolean);
	list.prepend(element("li", {},
		event.time ? element("time", { datetime: event.time, title: event.time },
			clock(event.time)) : element("span"),
		element("span", { class: "what", "data-tone": tone }, what),
		element("span", { class: "where" }, where.join(", "),
			event.text && element("span", { class: "why" }, event.text))));
	while (list.children.length > KEPT)
		list.lastChild.remove();
	say("");
}

function say(text) {
	const empty = byId("events").children.length === 0;
	write(byId("events-note"), text || (empty ? "Nothing has happened yet." : ""));
}

/* Goes on for as long as the page is there. */
export async function follow() {
	const at = { id: null };
	for (;;) {
		const used = token();
		try {
			await listen(`/v1/events?last=${FIRST}`, at, show);
		} catch (error) {
			if (error.status === 401) {
				while (token() === used)
					await wait(AGAIN_MS / 4);
				continue;
			}
			if (error.status) {
				say(`No events: ${error.message}.`);
				await wait(REFUSED_MS);
			}
		}
		await wait(AGAIN_MS);
	}
}
