/* plots.js - four plots of the last five minutes, a line for each pool. */

import uPlot from "uplot";
import { count, element, ms, rate, write } from "./text.js";

const SHOWN_S = 300;
const LINES = 6;		// more could not be told apart; the rest is one line

const plots = [
	{ id: "rate", title: "Requests a second", text: rate, sum: true },
	{ id: "errors", title: "Errors a second", text: rate, sum: true },
	{ id: "p99", title: "p99, ms", text: ms, sum: false },
	{ id: "inFlight", title: "In flight", text: count, sum: true },
];

const colour = (name) => getComputedStyle(document.documentElement)
	.getPropertyValue(name).trim();

/* Numbers at an axis: short. */
function tick(n) {
	return n >= 1e6 ? `${+(n / 1e6).toFixed(1)}M` : n >= 1e3 ? `${+(n / 1e3).toFixed(1)}k`
		: `${+n.toPrecision(3)}`;
}

/* What the others are together; of times, the longest. */
function together(values, sum) {
	const known = values.filter((value) => value !== null && value !== undefined);
	if (known.length === 0)
		return null;
	return sum ? known.reduce((a, b) => a + b) : Math.max(...known);
}

export class Plots {
	constructor(place) {
		this.place = place;
		this.names = null;
		this.made = [];
		const again = () => this.#make();
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
		new ResizeObserver(() => this.#fit()).observe(place);
	}

	/* shown: as State keeps it. names: of the pools there are. */
	show(shown, names) {
		this.shown = shown;
		if (!this.names || names.join("\n") !== this.names.join("\n")) {
			this.names = names;
			this.#make();
		}
		this.made.forEach(({ plot, chart, figure, now }) => {
			chart.setData(this.#data(plot), false);
			chart.setScale("x", this.#range());
			if (chart.cursor.left < 0)
				chart.setLegend({ idx: shown.length - 1 });
			const last = this.names.map((name) =>
				shown.at(-1).pools.get(name)?.[plot.id]);
			const text = plot.text(together(last, plot.sum));
			write(now, text);
			figure.setAttribute("aria-label", `${plot.title}: now ${text}`);
		});
	}

	#range() {
		const at = this.shown.at(-1).at;
		return { min: at - SHOWN_S, max: at };
	}

	#data({ id, sum }) {
		const named = this.names.slice(0, LINES), rest = this.names.slice(LINES);
		const of = (one, name) => one.pools.get(name)?.[id] ?? null;
		const data = [this.shown.map((one) => one.at),
			...named.map((name) => this.shown.map((one) => of(one, name)))];
		if (rest.length > 0)
			data.push(this.shown.map((one) =>
				together(rest.map((name) => of(one, name)), sum)));
		return data;
	}

	#series(plot) {
		const value = (chart, n) => plot.text(n);
		const line = (label, name, dash) => ({
			label, value, dash, width: 1.5, stroke: colour(name),
			spanGaps: false, points: { show: false },
		});
		const rest = this.names.length - LINES;
		const series = this.names.slice(0, LINES)
			.map((name, i) => line(name, `--line-${i + 1}`));
		if (rest > 0)
			series.push(line(`${rest} others${plot.sum ? "" : ", longest"}`,
				"--muted", [4, 3]));
		return [{ value: (chart, at) => at ? ago(this.shown.at(-1).at - at) : "" },
			...series];
	}

	#make() {
		if (!this.names)
			return;
		for (const { chart } of this.made)
			chart.destroy();
		this.place.replaceChildren();
		this.made = plots.map((plot) => this.#plot(plot));
	}

	#plot(plot) {
		const now = element("output");
		const box = element("div", { "aria-hidden": "true" });
		const figure = element("figure", { role: "img", "aria-label": plot.title },
			element("figcaption", {}, element("span", {}, plot.title), now), box);
		this.place.append(figure);
		const axis = {
			stroke: colour("--muted"), font: "11px system-ui, sans-serif",
			grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
		};
		const chart = new uPlot({
			width: this.#width(figure), height: 132, padding: [8, 8, 0, 0],
			legend: { live: true }, series: this.#series(plot),
			cursor: { sync: { key: "plots" }, drag: { x: false, y: false }, y: false },
			scales: {
				x: { time: false, auto: false },
				y: { range: (u, min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] },
			},
			axes: [
				{ ...axis, size: 20, gap: 2, space: 40,
				  splits: (u, i, min, max) => minutes(max),
				  values: (u, splits) => splits.map((at) => ago(u.scales.x.max - at)) },
				{ ...axis, size: 40, gap: 4, space: 26,
				  values: (u, splits) => splits.map(tick) },
			],
		}, this.#data(plot), box);
		chart.setScale("x", this.#range());
		return { plot, chart, figure, now };
	}

	#width(figure) {
		const { paddingLeft, paddingRight } = getComputedStyle(figure);
		return figure.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
	}

	#fit() {
		for (const { chart, figure } of this.made) {
			const width = this.#width(figure);
			if (width > 0 && width !== chart.width)
				chart.setSize({ width, height: chart.height });
		}
	}
}

const minutes = (max) => [4, 3, 2, 1, 0].map((ago) => max - 60 * ago);

function ago(seconds) {
	if (seconds < 0.5)
		return "now";
	return seconds % 60 < 0.5 ? `−${Math.round(seconds / 60)} min`
		: `−${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;
}
