/* api.js - asks the balancer that the page comes from. The token, where one is needed, is
 * kept for as long as the tab lives, and goes nowhere else. */

const KEY = "balancerd-token";

/* What the balancer did not do, in its own words. */
export class Refusal extends Error {
	constructor(status, error) {
		super(error.message);
		this.status = status;
		this.code = error.code;
		this.field = error.field;
	}
}

export const hasToken = () => sessionStorage.getItem(KEY) !== null;

export function setToken(token) {
	if (token)
		sessionStorage.setItem(KEY, token);
	else
		sessionStorage.removeItem(KEY);
}

async function send(method, path, body, more = {}) {
	const headers = { ...more.headers };
	const token = sessionStorage.getItem(KEY);
	if (token)
		headers.Authorization = `Bearer ${token}`;
	if (body !== undefined)
		headers["Content-Type"] = "application/json";
	const answer = await fetch(path, {
		...more, method, headers, cache: "no-store",
		body: body === undefined ? undefined : JSON.stringify(body),
	});
	if (answer.ok)
		return answer;
	let error;
	try {
		({ error } = await answer.json());
	} catch {
		error = undefined;	// something between us and the balancer has answered
	}
	throw new Refusal(answer.status, error ??
		{ code: "", message: `it answered ${answer.status} ${answer.statusText}` });
}

/* The answer as an object; throws a Refusal, or what fetch throws if nobody answers. */
export async function ask(method, path, body) {
	const late = AbortSignal.timeout(method === "GET" ? 10000 : 310000);
	return (await send(method, path, body, { signal: late })).json();
}

export const pathOf = (pool, ...rest) =>
	["/v1/pools", pool, ...rest].map((part, i) => i ? encodeURIComponent(part) : part)
		.join("/");

/* Server-sent events (HTML, section 9.2), read here since the browser's own reader cannot
 * send a token. Calls on(data) for each; returns when the balancer ends, throws as ask.
 * `at` keeps the last number from one call to the next. */
export async function listen(path, at, on) {
	const headers = at.id ? { "Last-Event-ID": at.id } : {};
	const answer = await send("GET", path, undefined, { headers });
	const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
	let text = "";
	for (;;) {
		const { done, value } = await reader.read();
		if (done)
			return;
		text += value;
		const parts = text.split("\n\n");
		text = parts.pop();
		for (const part of parts)
			take(part, at, on);
	}
}

function take(part, at, on) {
	const data = [];
	for (const line of part.split("\n")) {
		const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
		if (name === "id")
			at.id = value;
		else if (name === "data")
			data.push(value);
	}
	if (data.length > 0)
		on(JSON.parse(data.join("\n")));
}
