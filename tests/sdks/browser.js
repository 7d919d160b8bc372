// A page of another origin that sends events with the SDK as it is published.

const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const { chromium } = require("playwright-core");

const [url, key] = process.argv.slice(2);
// What the SDK sends by itself, and what the page sends.
const EVENTS = 4;

async function main() {
  const script = fs.readFileSync("page.js");
  const server = http.createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : '<!doctype html><script src="/page.js"></script>');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const page = await browser.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`${error}`));
  const answers = [];
  page.on("response", (response) => {
    if (response.url().startsWith(url)) answers.push(response.status());
  });
  // Another host name is another origin.
  await page.goto(`http://localhost:${server.address().port}/`);
  await page.evaluate(
    ([url, key]) => {
      DataCortex.init({ api_key: key, org_name: "ann", app_ver: "1.2", base_url: url });
      DataCortex.addUserTag("user 7");
      DataCortex.event({ kingdom: "level", phylum: "done", float1: 2.5 });
      DataCortex.economyEvent({ spend_currency: "USD", spend_amount: 4.99, kingdom: "gems" });
    },
    [url, key],
  );
  for (let tries = 0; tries < 300 && answers.length < EVENTS; tries++) await page.waitForTimeout(100);
  assert.deepEqual(answers, Array(EVENTS).fill(200), `the page is answered with ${answers}`);
  // It goes on at once, and repeats nothing.
  await page.waitForTimeout(3000);
  assert.equal(answers.length, EVENTS, "the SDK repeats what was answered");
  assert.deepEqual(faults, []);
  await browser.close();
  server.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
