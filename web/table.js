/* table.js - a table of things that have keys: rows stay where they are while their figures
 * change, and can be sorted by any column.
 *
 * Roles are written out because narrow screens show a row as a block, and a browser takes
 * a table that is shown so for no table. */

import { element, write } from "./text.js";

const collator = new Intl.Collator("en", { numeric: true });

function compare(a, b) {
	if (typeof a === "string" || typeof b === "string")
		return collator.compare(a ?? "", b ?? "");
	return (a ?? -1) - (b ?? -1);
}

/* A column: { id, title, value(item), text(item) or value's, number: bool, show(td, item)
 * instead of text, sorts: false, first: "down" if the greatest are wanted first }. */
export class Table {
	constructor({ label, columns, place, sort }) {
		this.columns = columns;
		this.rows = new Map();
		this.sort = sort ? { ...sort } : null;
		this.items = [];
		this.body = element("tbody", { role: "rowgroup" });
		this.heads = new Map();
		const row = element("tr", { role: "row" });
		for (const column of columns)
			row.append(this.#head(column));
		this.table = element("table", { role: "table", "aria-label": label },
			element("thead", { role: "rowgroup" }, row), this.body);
		place.append(this.table);
		this.#mark();
	}

	#head(column) {
		const head = element("th", {
			role: "columnheader", scope: "col",
			class: column.number ? "number" : column.id,
		});
		this.heads.set(column.id, head);
		if (!this.sort || column.sorts === false)
			head.append(element("span", { class: column.unseen && "unseen" },
				column.title));
		else
			head.append(element("button", {
				type: "button", class: "sorts", title: column.help,
				onclick: () => this.sortBy(column.id),
			}, column.title));
		return head;
	}

	/* The same column again turns the order round. */
	sortBy(id, direction) {
		const column = this.columns.find((one) => one.id === id);
		const first = column.number ? "descending" : "ascending";
		const other = first === "ascending" ? "descending" : "ascending";
		const again = this.sort.id === id && this.sort.direction === first;
		this.sort = { id, direction: direction ?? (again ? other : first) };
		this.#mark();
		this.#order(true);
		this.onsort?.(this.sort);
	}

	#mark() {
		if (!this.sort)
			return;
		for (const [id, head] of this.heads)
			if (id === this.sort.id)
				head.setAttribute("aria-sort", this.sort.direction);
			else
				head.removeAttribute("aria-sort");
	}

	/* Shows exactly these. */
	show(items) {
		const keys = new Set(items.map((item) => item.key));
		for (const [key, row] of this.rows) {
			if (keys.has(key))
				continue;
			row.remove();
			this.rows.delete(key);
		}
		let grew = false;
		for (const item of items) {
			let row = this.rows.get(item.key);
			if (!row) {
				row = this.#row();
				this.rows.set(item.key, row);
				grew = true;
			}
			this.#fill(row, item);
		}
		this.items = items;
		this.#order(grew);
	}

	#row() {
		const row = element("tr", { role: "row" });
		for (const column of this.columns)
			row.append(element("td", {
				role: "cell", class: column.number ? "number" : column.id,
				"data-label": column.unseen ? undefined : column.title,
			}));
		return row;
	}

	#fill(row, item) {
		row.dataset.state = item.state ?? "";
		this.columns.forEach((column, i) => {
			const cell = row.cells[i];
			if (column.show)
				column.show(cell, item);
			else
				write(cell, String((column.text ?? column.value)(item)));
			cell.classList.toggle("empty", cell.textContent === "");
			if (column.tone)
				cell.dataset.tone = column.tone(item) ?? "";
		});
	}

	/* Rows do not move under a hand or a cursor, unless they have to. */
	#order(now) {
		if (!now && this.body.matches(":hover, :focus-within"))
			return;
		const sorted = [...this.items];
		if (this.sort) {
			const { value } = this.columns.find((one) => one.id === this.sort.id);
			const turn = this.sort.direction === "ascending" ? 1 : -1;
			sorted.sort((a, b) => turn * compare(value(a), value(b)) ||
				compare(a.key, b.key));
		}
		sorted.forEach((item, i) => {
			const row = this.rows.get(item.key);
			if (this.body.children[i] !== row)
				this.body.insertBefore(row, this.body.children[i] ?? null);
		});
	}
}
