/* text.js - how figures are written. Pure. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en",
	{ minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const NONE = "–";

const unknown = (n) => n === null || n === undefined;

export const count = (n) => unknown(n) ? NONE : whole.format(n);

/* Per second. */
export function rate(n) {
	if (unknown(n))
		return NONE;
	return n === 0 ? "0" : n < 9.95 ? tenth.format(n) : whole.format(n);
}

/* Milliseconds: three digits are enough. */
export function ms(n) {
	if (unknown(n))
		return NONE;
	return n < 9.995 ? n.toFixed(2) : n < 99.95 ? n.toFixed(1) : whole.format(n);
}

export const percent = (part) => `${(100 * part).toFixed(part < 0.0995 ? 2 : 1)} %`;

export const several = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;

/* A time that has passed, in its two largest units. */
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

/* At an axis: short. */
export function tick(n) {
	return n >= 1e6 ? `${+(n / 1e6).toFixed(1)}M` : n >= 1e3 ? `${+(n / 1e3).toFixed(1)}k`
		: `${+n.toPrecision(3)}`;
}

export function ago(seconds) {
	if (seconds < 0.5)
		return "now";
	const whole = Math.round(seconds);
	return whole % 60 === 0 ? `−${whole / 60} min`
		: `−${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/* How many seconds ago there are lines across, the farthest first. */
export function stepsOf(shown) {
	const step = [20, 30, 60].find((one) => shown / one <= 3) ?? 120;
	return Array.from({ length: Math.floor(shown / step) + 1 }, (_, i) => i * step)
		.filter((one) => one < shown * 0.95).reverse();
}
