/* table.js - a table of things that have keys: rows stay where they are while their figures
 * change, and can be sorted by any column.
 *
 * Roles are written out because narrow screens show a row as a block, and a browser takes
 * a table that is shown so for no table. */

import { element } from "./dom.js";
import { sorted } from "./order.js";

/* A column: { id, title, value(item), text(item) or value's, number: bool, heads: true for
 * the one that names the row, rank: "minor" or "sum" for what narrower screens leave out,
 * unseen: true for a head that is only heard, sorts: false, tone(item), help, and
 * show(cell, item) instead of text }. Things to be shown have a `key`. */
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
			element("caption", { class: "unseen" }, label),
			element("thead", { role: "rowgroup" }, row), this.body);
		place.append(this.table);
		this.#mark();
	}

	#class({ id, number, rank }) {
		return [`of-${id}`, number && "number", rank].filter(Boolean).join(" ");
	}

	#head(column) {
		const head = element("th", {
			role: "columnheader", scope: "col", class: this.#class(column),
			title: column.help,
		});
		this.heads.set(column.id, head);
		if (!this.sort || column.sorts === false)
			head.append(element("span", { class: column.unseen && "unseen" },
				column.title));
		else
			head.append(element("button", {
				type: "button", class: "sorts",
				onclick: () => this.sortBy(column.id),
			}, column.title));
		return head;
	}

	/* The same column again turns the order round. */
	sortBy(id) {
		const column = this.columns.find((one) => one.id === id);
		const first = column.number ? "descending" : "ascending";
		const other = column.number ? "ascending" : "descending";
		const again = this.sort.id === id && this.sort.direction === first;
		this.sort = { id, direction: again ? other : first };
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

	/* Shows exactly these. Tells onlost() where what had the focus is gone. */
	show(items) {
		const keys = new Set(items.map((item) => item.key));
		for (const [key, row] of this.rows) {
			if (keys.has(key))
				continue;
			const lost = row.contains(document.activeElement);
			row.remove();
			this.rows.delete(key);
			if (lost)
				this.onlost?.();
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
			row.append(element(column.heads ? "th" : "td", {
				role: column.heads ? "rowheader" : "cell",
				scope: column.heads && "row", class: this.#class(column),
				"data-label": column.unseen ? undefined : column.title,
			}));
		row.said = [];		// the texts of its cells: reading them back is slow
		return row;
	}

	#fill(row, item) {
		row.dataset.state = item.state ?? "";
		this.columns.forEach((column, i) => {
			const cell = row.cells[i];
			if (column.tone)
				cell.dataset.tone = column.tone(item) ?? "";
			if (column.show) {
				column.show(cell, item);
				return;
			}
			const text = String((column.text ?? column.value)(item) ?? "");
			if (row.said[i] === text)
				return;
			row.said[i] = text;
			cell.textContent = text;
			cell.classList.toggle("empty", text === "");
		});
	}

	/* Rows do not move under a hand or a cursor, unless they have to; and whatever had the
	 * focus has it still when its row was moved. */
	#order(now) {
		if (!now && this.body.matches(":hover, :focus-within"))
			return;
		const { value } = this.columns.find((one) => one.id === this.sort?.id) ?? {};
		const items = value ? sorted(this.items, value, this.sort.direction) : this.items;
		const focused = this.body.contains(document.activeElement)
			? document.activeElement : null;
		items.forEach((item, i) => {
			const row = this.rows.get(item.key);
			if (this.body.children[i] !== row)
				this.body.insertBefore(row, this.body.children[i] ?? null);
		});
		if (focused && document.activeElement !== focused)
			focused.focus({ preventScroll: true });
	}
}
