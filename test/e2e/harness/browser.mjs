// browser.mjs - runs Chromium for browser.py: each line that comes is a piece of code for
// the page and its argument, each line that goes is what came of it. Nothing else is said.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [, , modules, executablePath, patience] = process.argv;
const { chromium } = createRequire(`${modules}/`)("playwright-core");
const Code = Object.getPrototypeOf(async () => {}).constructor;

const browser = await chromium.launch({
	executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
let page;
const seen = { complaints: [], requests: [] };

async function open({ url, token, ...options }) {
	await page?.context().close();
	seen.complaints = [];
	seen.requests = [];
	const context = await browser.newContext(options);
	context.setDefaultTimeout(Number(patience) * 1000);
	// Only at first: a token that is forgotten stays so.
	if (token !== undefined)
		await context.addInitScript((text) => {
			if (window.name !== "has its token")
				sessionStorage.setItem("balancerd-token", text);
			window.name = "has its token";
		}, token);
	page = await context.newPage();
	page.on("console", (said) => {
		if (["error", "warning"].includes(said.type()))
			seen.complaints.push(`${said.text()} (${said.location().url})`);
	});
	page.on("pageerror", (error) => seen.complaints.push(String(error.stack)));
	page.on("request", (request) => seen.requests.push(request.url()));
	await page.goto(url);
}

// Asked again and again from here: the page lets nobody make code of text in it.
async function wait(condition) {
	const end = Date.now() + Number(patience) * 1000;
	while (!await page.evaluate(condition)) {
		if (Date.now() > end)
			throw new Error(`not within ${patience} s: ${condition}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

async function answer({ open: how, until, code, arg }) {
	if (how !== undefined)
		return open(how);
	if (until !== undefined)
		return wait(until);
	return new Code("page", "seen", "arg", code)(page, seen, arg);
}

for await (const line of createInterface({ input: process.stdin })) {
	let said;
	try {
		said = { value: await answer(JSON.parse(line)) ?? null };
	} catch (error) {
		said = { error: String(error.message ?? error) };
	}
	process.stdout.write(`${JSON.stringify(said)}\n`);
}
await browser.close();
