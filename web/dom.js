/* dom.js - how elements are made and written to. */

export const byId = (id) => document.getElementById(id);

const isThere = (one) => one !== null && one !== undefined && one !== false;

function give(made, attributes, children) {
	for (const [key, value] of Object.entries(attributes)) {
		if (typeof value === "function")
			made.addEventListener(key.slice(2), value);
		else if (isThere(value))
			made.setAttribute(key, value === true ? "" : value);
	}
	made.append(...children.filter(isThere));
	return made;
}

/* element("button", { type: "button", onclick }, "text", child...). Attributes and children
 * that are null, undefined or false are left out; functions are
 * handlers. */
export const element = (name, attributes = {}, ...children) =>
	give(document.createElement(name), attributes, children);

export const svg = (name, attributes = {}, ...children) =>
	give(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

/* Nothing is written where nothing changes: screen readers and selections stay calm. */
export function write(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

export function setAttribute(node, name, value) {
	if (node.getAttribute(name) !== value)
		node.setAttribute(name, value);
}

/* A choice of these names behind the first `kept` options that are there already. What was
 * chosen stays so if it can. */
export function fillChoice(select, names, kept) {
	const there = [...select.options].slice(kept).map((option) => option.value);
	if (names.length === there.length && names.every((name, i) => name === there[i]))
		return;
	const before = select.value;
	select.replaceChildren(...[...select.options].slice(0, kept),
		...names.map((name) => element("option", { value: name }, name)));
	if ([...select.options].some((option) => option.value === before))
		select.value = before;
}
