// A person in a browser: .ci/browser starts the service in this folder, and this.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const { chromium } = require("playwright-core");
const axe = require("axe-core");

const URL = process.env.CORTEX_REPORT_URL;
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
// As long as an address may be.
const LONG = `${"a".repeat(64)}@${`${"b".repeat(59)}.`.repeat(3)}example`;
const NARROW = { width: 360, height: 740 };

// The ways in which people see a page.
const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  "forced colours": { forcedColors: "active" },
  "forced colours, dark": { colorScheme: "dark", forcedColors: "active" },
};

// Starts a login, and answers its code and the link that was mailed, as the raw mail has it.
async function startLogin(email) {
  const login = await fetch(`${URL}/api/1/login`, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": FIREFOX },
    body: JSON.stringify({ email }),
  });
  assert.equal(login.status, 200, await login.clone().text());
  const { manual_code: code, session_key: key } = await login.json();
  for (let tries = 0; tries < 1000; tries++) {
    for (const name of fs.readdirSync("mail")) {
      if (!name.endsWith(".eml")) continue;
      const mail = fs.readFileSync(`mail/${name}`, "utf8");
      fs.unlinkSync(`mail/${name}`);
      return { code, key, link: mail.match(/^http\S+\/verify\/\S+$/m)[0].trim() };
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no mail came for ${email}`);
}

async function isLoggedIn(key) {
  const user = await fetch(`${URL}/api/1/user`, { headers: { authorization: `Bearer ${key}` } });
  return user.status === 200;
}

// A page that fails the run when it logs an error or asks another host for something.
async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: NARROW, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`script: ${error}`));
  page.on("console", (message) => {
    // A page that is answered with 403 or 404 is meant to be.
    const isItself = message.location().url === page.url() && /status of 4\d\d/.test(message.text());
    if (message.type() === "error" && !isItself) page.faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${URL}/`) && !url.startsWith("data:")) page.faults.push(`asks ${url}`);
  });
  return page;
}

// What is wrong with a page as it is shown now.
async function examine(page) {
  const faults = page.faults.splice(0);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => axe.run());
  for (const { id, impact, nodes } of violations) {
    if (["serious", "critical"].includes(impact)) faults.push(`axe: ${id}: ${nodes[0].html}`);
  }
  const shown = await page.evaluate(() => {
    const root = document.documentElement;
    const styles = [...document.querySelectorAll("button, input")].map((control) => {
      const { borderTopWidth, borderTopColor, backgroundColor } = getComputedStyle(control);
      return { tag: control.tagName, borderTopWidth, borderTopColor, backgroundColor };
    });
    const field = document.querySelector("input");
    return {
      overflow: root.scrollWidth - root.clientWidth,
      forced: matchMedia("(forced-colors: active)").matches,
      placeholder: field && getComputedStyle(field, "::placeholder").opacity,
      styles,
    };
  });
  if (shown.overflow > 0) faults.push(`is ${shown.overflow} px too wide`);
  if (shown.forced) {
    for (const { tag, borderTopWidth, borderTopColor, backgroundColor } of shown.styles) {
      const isSeen = borderTopWidth !== "0px" && borderTopColor !== backgroundColor;
      if (!isSeen) faults.push(`${tag} has no edge in forced colours`);
    }
  }
  if (shown.placeholder && Number(shown.placeholder) < 0.6) faults.push("the placeholder is faint");
  return faults;
}

async function isSound(page, heading) {
  assert.equal(await page.textContent("h1"), heading);
  const faults = await examine(page);
  assert.deepEqual(faults, [], `${heading} (${page.url()})`);
}

async function submit(page, code) {
  await page.fill("#manual_code", code);
  // The page that comes has the same URL, and a page without scripts cannot be polled.
  const loaded = page.waitForEvent("load");
  await page.click("button");
  await loaded;
}

const FORM = "Log in to Data Cortex";
const VERIFIED = "This login is verified";
const DEAD = "This link does not work";

// A login from the mail to its end, each page examined.
async function lifeOf(browser, look) {
  const { code, key, link } = await startLogin(LONG);
  const page = await open(browser, LOOKS[look]);
  await page.goto(link);
  await isSound(page, FORM);
  await page.screenshot({ path: `${look.replaceAll(/\W+/g, "-")}.png`, fullPage: true });
  for (const shown of [LONG, "127.0.0.1", "Firefox on Linux", "(in 10 minutes)"]) {
    assert.ok((await page.textContent("main")).includes(shown), `the page shows ${shown}`);
  }
  await submit(page, "BBBB-BBBB");
  await isSound(page, FORM);
  assert.match(await page.textContent("[role=alert]"), /Wrong code\. 4 tries left/);
  await page.screenshot({ path: `${look.replaceAll(/\W+/g, "-")}-wrong.png`, fullPage: true });
  await submit(page, "1234");
  await isSound(page, FORM);
  assert.match(await page.textContent("[role=alert]"), /not counted as a try/);
  assert.equal(await isLoggedIn(key), false);
  const second = await page.context().newPage();
  await second.goto(link);
  await submit(second, `Code: ${code}`);
  assert.equal(await second.textContent("h1"), VERIFIED);
  assert.equal(await isLoggedIn(key), true);
  await second.reload();
  assert.equal(await second.textContent("h1"), VERIFIED);
  await second.goBack();
  if (second.url() === link) assert.equal(await second.textContent("h1"), VERIFIED);
  // The form that is still open in the other tab.
  await submit(page, code);
  await isSound(page, VERIFIED);
  await page.context().close();
}

async function byKeyboardAlone(browser) {
  const { code, key, link } = await startLogin("ann@example.com");
  const page = await open(browser);
  await page.goto(link);
  const focused = () =>
    page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return [document.activeElement.tagName, outlineStyle, outlineWidth];
    });
  assert.deepEqual(await focused(), ["INPUT", "solid", "3px"]);
  await page.keyboard.type(code.toLowerCase());
  await page.keyboard.press("Tab");
  assert.deepEqual(await focused(), ["BUTTON", "solid", "3px"]);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`h1:text("${VERIFIED}")`);
  await isSound(page, VERIFIED);
  assert.equal(await isLoggedIn(key), true);
  await page.context().close();
}

async function deadLinks(browser) {
  const page = await open(browser);
  await page.goto(`${URL}/verify/unknown`);
  await isSound(page, DEAD);

  const burnt = await startLogin("ann@example.com");
  await page.goto(burnt.link);
  for (let tries = 0; tries < 5; tries++) await submit(page, "BBBB-BBBB");
  await isSound(page, DEAD);

  const expired = await startLogin("ann@example.com");
  await page.goto(expired.link);
  const age = `import sqlite3
db = sqlite3.connect("cortex-report.db", timeout=5)
db.execute("UPDATE session SET created_at = created_at - 600000, expires_at = expires_at - 600000 WHERE state = 'pending'")
db.commit()`;
  execFileSync("python3", ["-c", age]);
  await submit(page, expired.code);
  await isSound(page, DEAD);
  await page.reload();
  await page.goto(expired.link);
  await isSound(page, DEAD);
  await page.context().close();
}

async function times(browser) {
  const { code, key, link } = await startLogin("ann@example.com");
  const text = async (options) => {
    const page = await open(browser, options);
    await page.goto(link);
    const moments = await page.locator("data.moment").allTextContents();
    assert.equal(moments.length, 2);
    return [page, moments[1]];
  };
  const [tokyo, inTokyo] = await text({ timezoneId: "Asia/Tokyo" });
  assert.match(inTokyo, /GMT\+9$|JST$/);
  await tokyo.context().close();
  // Without the script all works, and the time says that it is UTC.
  const [plain, inUtc] = await text({ javaScriptEnabled: false });
  assert.match(inUtc, /GMT$/);
  await submit(plain, code);
  assert.equal(await plain.textContent("h1"), VERIFIED);
  assert.equal(await isLoggedIn(key), true);
  await plain.context().close();
}

async function documentation(browser) {
  const page = await open(browser, { viewport: { width: 1280, height: 800 } });
  await page.goto(`${URL}/docs/`);
  await page.waitForSelector(".swagger-ui .opblock");
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

// What has to be found in a page that is changed so.
async function plantedFaults(browser) {
  const { link } = await startLogin(LONG);
  const spoilt = async (name, look, file, change, finding) => {
    const page = await open(browser, LOOKS[look]);
    await page.route(file, async (route) => {
      const response = await route.fetch();
      const sound = await response.text();
      const body = change(sound);
      assert.notEqual(body, sound, `${name}: nothing was changed`);
      await route.fulfill({ response, body });
    });
    await page.goto(link);
    const found = (await examine(page)).join("\n");
    assert.match(found, finding, `${name} is not found`);
    console.log(`the browser catches: ${name}`);
    await page.context().close();
  };
  const css = "**/verify.css";
  await spoilt("a long address that does not wrap", "light", css, (it) => it.replace("overflow-wrap: anywhere", ""), /too wide/);
  await spoilt("a button without an edge", "forced colours", css, (it) => it.replace("2px solid transparent", "0"), /no edge/);
  await spoilt("faint text", "dark", css, (it) => it.replace("opacity: .75", "opacity: .2"), /color-contrast/);
  await spoilt("a faint placeholder", "dark", css, (it) => it.replace("opacity: .7;", "opacity: .3;"), /placeholder/);
  await spoilt("a field without a name", "light", link, (it) => it.replace("<label", "<b").replace(' placeholder="XXXX-XXXX"', ""), /axe: label/);
  await spoilt("an image from elsewhere", "light", link, (it) => it.replace("<h1>", '<img alt="" src="http://localhost:9/x.png"><h1>'), /asks http|console/);
}

async function main() {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    for (const look of Object.keys(LOOKS)) {
      await lifeOf(browser, look);
      console.log(`a whole login at ${NARROW.width} px: ${look}`);
    }
    for (const walk of [byKeyboardAlone, deadLinks, times, documentation, plantedFaults]) {
      await walk(browser);
      console.log(walk.name);
    }
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
