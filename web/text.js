/* text.js - how figures are written, and how elements are made. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en",
	{ minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const NONE = "–";

export const count = (n) => n === null || n === undefined ? NONE : whole.format(n);

/* Per second. */
export function rate(n) {
	if (n === null || n === undefined)
		return NONE;
	return n === 0 ? "0" : n < 9.95 ? tenth.format(n) : whole.format(n);
}

/* Milliseconds: three digits are enough. */
export function ms(n) {
	if (n === null || n === undefined)
		return NONE;
	return n < 9.995 ? n.toFixed(2) : n < 99.95 ? n.toFixed(1) : whole.format(n);
}

export const percent = (part) => `${(100 * part).toFixed(part < 0.0995 ? 2 : 1)} %`;

export function span(seconds) {
	const units = [["d", 86400], ["h", 3600], ["min", 60]];
	const at = units.findIndex(([, length]) => seconds >= length);
	if (at < 0)
		return `${Math.floor(seconds)} s`;
	const [name, length] = units[at];
	const [small, part] = units[at + 1] ?? ["s", 1];
	const rest = Math.floor((seconds % length) / part);
	return `${Math.floor(seconds / length)} ${name}${rest ? ` ${rest} ${small}` : ""}`;
}

/* element("button", { type: "button", onclick }, "text", child...). Attributes whose value
 * is false, null or undefined are left out; functions are handlers. */
export function element(name, attributes = {}, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (typeof value === "function")
			made.addEventListener(key.slice(2), value);
		else if (value !== false && value !== null && value !== undefined)
			made.setAttribute(key, value === true ? "" : value);
	}
	made.append(...children.filter((child) => child !== null && child !== undefined));
	return made;
}

/* Nothing is written where nothing changes: screen readers and selections stay calm. */
export function write(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

export const byId = (id) => document.getElementById(id);
