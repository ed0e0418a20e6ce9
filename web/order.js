/* order.js - which of things come first, and which are asked for. Pure. */

const collator = new Intl.Collator("en", { numeric: true });

/* Texts as people count, S2 before S10; numbers by size, those that are not known last. */
export function compare(a, b) {
	if (typeof a === "string" || typeof b === "string")
		return collator.compare(a ?? "", b ?? "");
	return (a ?? -1) - (b ?? -1);
}

/* A copy in this order; what is equal in it is ordered by key, so that it stays. */
export function sorted(items, value, direction) {
	const turn = direction === "descending" ? -1 : 1;
	return [...items].sort((a, b) => turn * compare(value(a), value(b)) ||
		collator.compare(a.key, b.key));
}

/* Servers with all of these words in what is known of them, of this pool ("": any), in this
 * state ("": any; "!up": any but that). */
export function fitting(servers, { words, pool, state }) {
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
	return servers.filter((server) => {
		const text = [server.address, server.name, server.pool, server.state,
			server.reason].join(" ").toLowerCase();
		return wanted.every((word) => text.includes(word)) &&
			(!pool || server.pool === pool) &&
			(!state || (state === "!up" ? server.state !== "up"
				: server.state === state));
	});
}
