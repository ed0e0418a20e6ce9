/* events.js - what happens to the balancer, as it happens. */

import { listen } from "./api.js";
import { byId, element } from "./text.js";

const KEPT = 200;
const AGAIN_MS = 2000;
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
		element("span", { class: "where" }, where.join(", ")),
		element("span", { class: "why" }, event.text ?? "")));
	while (list.children.length > KEPT)
		list.lastChild.remove();
	byId("no-events").hidden = true;
}

/* Goes on for as long as the page is there. */
export async function follow() {
	const at = { id: null };
	for (;;) {
		try {
			await listen("/v1/events?last=100", at, show);
		} catch (error) {
			if (error.status === 404)
				return;
		}
		await wait(AGAIN_MS);
	}
}
