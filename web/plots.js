/* plots.js - four plots of the last five minutes: of the whole, of one pool, or of all pools
 * side by side. */

import uPlot from "uplot";
import { byId, element, fillChoice, setAttribute, svg, write } from "./dom.js";
import { SHOWN_S } from "./state.js";
import { ago, count, ms, rate, several, stepsOf, tick } from "./text.js";

const SHOWN_S_MIN = 60;		// while the page is young
const HEIGHT = 140;
const LINES = 6;		// more could not be told apart; the rest is one line
const EACH = "*";		// no pool has this name
const DASHES = [[], [5, 3], [2, 2], [5, 2, 2, 2], [3, 1], [8, 3]];

/* `more` are the lines of the whole or of one pool, if these have several. */
const plots = [
	{ id: "rate", title: "Requests a second", text: rate, sum: true },
	{ id: "errors", title: "Errors a second", text: rate, sum: true },
	{ id: "p99", title: "Time, ms", each: "p99, ms", text: ms, sum: false,
	  more: [["p50", "p50"], ["p90", "p90"], ["p99", "p99"], ["p999", "p99.9"]] },
	{ id: "inFlight", title: "In flight", text: count, sum: true,
	  more: [["inFlight", "in flight"], ["waiting", "waiting"]] },
];

const colour = (name) => getComputedStyle(document.documentElement)
	.getPropertyValue(name).trim();

/* What several lines are together; of times, the longest. */
function together(values, sum) {
	const known = values.filter((value) => value !== null && value !== undefined);
	if (known.length === 0)
		return null;
	return sum ? known.reduce((a, b) => a + b) : Math.max(...known);
}

/* A line: { label, of(point) }. */
function linesOf({ id, more, sum }, chosen, names) {
	if (chosen !== EACH) {
		const point = chosen === "" ? (one) => one.whole : (one) => one.pools.get(chosen);
		return (more ?? [[id, ""]]).map(([name, label]) =>
			({ label, of: (one) => point(one)?.[name] ?? null }));
	}
	const of = (name) => (one) => one.pools.get(name)?.[id] ?? null;
	const lines = names.slice(0, LINES).map((name) => ({ label: name, of: of(name) }));
	const rest = names.slice(LINES);
	if (rest.length > 0)
		lines.push({ label: `${several(rest.length, "other")}${sum ? "" : ", longest"}`,
			of: (one) => together(rest.map((name) => of(name)(one)), sum) });
	return lines;
}

const looks = (i) => i < LINES ? { name: `--line-${i + 1}`, dash: DASHES[i] }
	: { name: "--muted", dash: [1, 3] };

/* One of the four. */
class Plot {
	constructor(plot, place, chosen, names, shown) {
		this.plot = plot;
		this.shown = shown;
		this.lines = linesOf(plot, chosen, names);
		this.now = element("output", { "aria-live": "off" });
		const box = element("div", { "aria-hidden": "true" });
		this.legend = this.lines.map((line, i) => this.#mark(line, i));
		this.figure = element("figure", { role: "img" }, element("figcaption", {},
			element("span", {}, chosen === EACH ? plot.each ?? plot.title : plot.title),
			this.now), box,
		element("p", { class: "legend", "aria-hidden": "true" },
			...this.legend.map(({ mark }) => mark)));
		place.append(this.figure);
		this.chart = new uPlot(this.#options(), this.#data(), box);
		this.show(shown);
	}

	#mark({ label }, i) {
		const value = element("b");
		const line = svg("line", { x1: 0, x2: 11, y1: 4, y2: 4, class: `line-${i + 1}`,
			"stroke-dasharray": looks(i).dash.join(" ") });
		const mark = element("span", { hidden: label === "" },
			svg("svg", { width: 11, height: 8 }, line), `${label} `, value);
		return { mark, value };
	}

	#options() {
		const axis = {
			stroke: colour("--muted"), font: "11px system-ui, sans-serif",
			grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
		};
		return {
			width: this.#width(), height: HEIGHT, padding: [8, 12, 0, 0],
			legend: { show: false },
			series: [{}, ...this.lines.map((line, i) => ({
				stroke: colour(looks(i).name), dash: looks(i).dash, width: 1.25,
				spanGaps: false, points: { show: false },
			}))],
			cursor: { sync: { key: "plots" }, drag: { x: false, y: false }, y: false,
				points: { size: 5 } },
			hooks: { setCursor: [() => this.#read()] },
			scales: {
				x: { time: false, auto: false },
				y: { range: (chart, min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] },
			},
			axes: [
				{ ...axis, size: 20, gap: 2, space: 40,
				  splits: (chart, i, min, max) => stepsOf(max - min).map((n) => max - n),
				  values: (chart, at) => at.map((one) => ago(chart.scales.x.max - one)) },
				{ ...axis, size: 40, gap: 4, space: 26,
				  values: (chart, splits) => splits.map(tick) },
			],
		};
	}

	#data() {
		return [this.shown.map((one) => one.at),
			...this.lines.map((line) => this.shown.map(line.of))];
	}

	show(shown) {
		this.shown = shown;
		const at = shown.at(-1)?.at ?? 0;
		this.chart.setData(this.#data(), false);
		const age = at - (shown[0]?.at ?? at);
		this.chart.setScale("x", {
			min: at - Math.min(SHOWN_S, Math.max(SHOWN_S_MIN, age)), max: at });
		this.#read();
	}

	/* Writes what is under the cursor, or what is now. */
	#read() {
		if (!this.chart)
			return;
		const i = this.chart.cursor.idx ?? this.shown.length - 1;
		const one = this.shown[i];
		const values = this.lines.map((line) => one ? line.of(one) : null);
		this.legend.forEach(({ value }, n) => write(value, this.plot.text(values[n])));
		const last = this.shown.length - 1;
		const when = i < last ? `${ago(this.shown[last].at - one.at)}: ` : "";
		write(this.now, when + (this.lines[0]?.label === "p50"
			? `p99 ${this.plot.text(values[2])}`
			: this.plot.text(this.plot.id === "inFlight" && this.lines[0]?.label === "in flight"
				? values[0] : together(values, this.plot.sum))));
		if (when === "")
			setAttribute(this.figure, "aria-label", `${this.plot.title}: now ` +
				this.lines.map((line, n) =>
					`${line.label} ${this.plot.text(values[n])}`.trim()).join(", "));
	}

	#width() {
		const { paddingLeft, paddingRight } = getComputedStyle(this.figure);
		return this.figure.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
	}

	fit() {
		const width = this.#width();
		if (width > 0 && width !== this.chart.width)
			this.chart.setSize({ width, height: HEIGHT });
	}
}

export class Plots {
	constructor(place) {
		this.place = place;
		this.names = null;
		this.made = [];
		this.chosen = byId("plots-of");
		const again = () => this.names && this.#make();
		this.chosen.addEventListener("change", again);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
		new ResizeObserver(() => this.made.forEach((plot) => plot.fit())).observe(place);
	}

	/* shown: as State keeps it. names: of the pools there are. */
	show(shown, names) {
		this.shown = shown;
		fillChoice(this.chosen, names, 2);
		if (!this.names || names.join("\n") !== this.names.join("\n")) {
			this.names = names;
			this.#make();
		} else {
			this.made.forEach((plot) => plot.show(shown));
		}
	}

	#make() {
		for (const { chart } of this.made)
			chart.destroy();
		this.place.replaceChildren();
		this.made = plots.map((plot) =>
			new Plot(plot, this.place, this.chosen.value, this.names, this.shown));
	}
}
