/* sse.js - text of server-sent events (HTML, section 9.2.6) becomes events, however it was
 * cut. Pure. */

function eventOf(block) {
	const data = [];
	let id = null;
	for (const line of block.split("\n")) {
		const colon = line.indexOf(":");
		const name = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
		if (name === "id")
			id = value;
		else if (name === "data")
			data.push(value);
	}
	return { id, data: data.length > 0 ? data.join("\n") : null };
}

export class Lines {
	#rest = "";

	/* The events, { id, data }, that are whole with this text; what is not given of one is
	 * null. What has neither, a comment, is none. */
	take(text) {
		const blocks = (this.#rest + text).split("\n\n");
		this.#rest = blocks.pop();
		return blocks.map(eventOf).filter(({ id, data }) => id !== null || data !== null);
	}
}
