/* api.js - asks the balancer that the page comes from. The token, where one is needed, is
 * kept for as long as the tab lives, and goes nowhere else: never into an address. */

import { Lines } from "./sse.js";

const KEY = "balancerd-token";
const READ_MS = 10000;
const CHANGE_MS = 310000;	// servers that are started are waited for, 300 s at most
const SILENCE_MS = 40000;	// of events: there is a comment every 15 s

/* What the balancer did not do, in its own words. */
export class Refusal extends Error {
	constructor(status, error) {
		super(error.message);
		this.status = status;
		this.code = error.code;
		this.field = error.field;
	}
}

export const token = () => sessionStorage.getItem(KEY);

export function setToken(text) {
	if (text)
		sessionStorage.setItem(KEY, text);
	else
		sessionStorage.removeItem(KEY);
}

async function send(method, path, body, more = {}) {
	const headers = { ...more.headers };
	if (token())
		headers.Authorization = `Bearer ${token()}`;
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
	throw new Refusal(answer.status, error ?? {
		code: "", message: `${answer.status} ${answer.statusText} is no answer of a ` +
			"balancer: look at what is between it and this browser",
	});
}

/* The answer as an object; throws a Refusal, or what fetch throws if nobody answers. */
export async function ask(method, path, body) {
	const late = AbortSignal.timeout(method === "GET" ? READ_MS : CHANGE_MS);
	return (await send(method, path, body, { signal: late })).json();
}

/* What went wrong, for people. */
export function reasonOf(error) {
	if (error instanceof Refusal)
		return error.message;
	return "The balancer does not answer, so nothing is known of what became of this. The " +
		"list shows it as soon as it answers again.";
}

export const pathOf = (pool, ...rest) =>
	["/v1/pools", ...[pool, ...rest].map(encodeURIComponent)].join("/");

/* Server-sent events, read here since the browser's own reader cannot send a token. Calls
 * on(object) for each; returns when the balancer ends, throws as ask does. at.id keeps the
 * last number from one call to the next. */
export async function listen(path, at, on) {
	const silence = new AbortController();
	const watch = () => setTimeout(() => silence.abort(), SILENCE_MS);
	let timer = watch();
	try {
		const headers = at.id ? { "Last-Event-ID": at.id } : {};
		const answer = await send("GET", path, undefined,
			{ headers, signal: silence.signal });
		const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
		const lines = new Lines();
		for (;;) {
			const { done, value } = await reader.read();
			if (done)
				return;
			clearTimeout(timer);
			timer = watch();
			for (const { id, data } of lines.take(value)) {
				at.id = id ?? at.id;
				if (data !== null)
					on(JSON.parse(data));
			}
		}
	} finally {
		clearTimeout(timer);
	}
}
