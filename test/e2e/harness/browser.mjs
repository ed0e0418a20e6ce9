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
let page, complaints = [];

async function open({ url, token, ...options }) {
	await page?.context().close();
	complaints = [];
	const context = await browser.newContext(options);
	context.setDefaultTimeout(Number(patience) * 1000);
	if (token !== undefined)
		await context.addInitScript((text) =>
			sessionStorage.setItem("balancerd-token", text), token);
	page = await context.newPage();
	page.on("console", (said) => {
		if (["error", "warning"].includes(said.type()))
			complaints.push(`${said.text()} (${said.location().url})`);
	});
	page.on("pageerror", (error) => complaints.push(String(error.stack)));
	await page.goto(url);
}

async function answer({ open: how, code, arg }) {
	if (how !== undefined)
		return open(how);
	return new Code("page", "complaints", "arg", code)(page, complaints, arg);
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
