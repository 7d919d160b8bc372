// The life of a client: what is the same whoever generated it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const variable = (name: string): string => process.env[name] ?? assert.fail(`${name} is not set`);

export const URL = variable("LATER_URL");
const EMAIL = variable("EMAIL");
const MAILS = variable("MAILS");

/** A call that was answered with a problem. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(`${status} ${code}`);
  }
}

/** What each operation answers; a problem is thrown as `Refused`. */
export interface Client {
  login(email: string): Promise<{ session_key: string; manual_code: string }>;
  /** Sends the key with each call from now on. */
  use(key: string): void;
  user(): Promise<{ email: string; org_list: { org_id: number }[] }>;
  apps(orgId: number): Promise<{ app_id: number; name: string; api_key_list: string[] }[]>;
  create(orgId: number, name: string): Promise<number>;
  delete(appId: number): Promise<"deleted">;
  logout(): Promise<"logged_out">;
}

export async function live(client: Client): Promise<void> {
  const login = await client.login(EMAIL);
  client.use(login.session_key);
  await isRefused(client.user(), 403, "not_logged_in");
  await verify(login.manual_code);
  const user = await client.user();
  assert.equal(user.email, EMAIL);
  const [org] = user.org_list;
  const orgId = org?.org_id ?? assert.fail("the user is in no organization");
  assert.deepEqual(await client.apps(orgId), []);
  const appId = await client.create(orgId, "Space Miner");
  const [app, ...others] = await client.apps(orgId);
  assert.deepEqual([app?.app_id, app?.name, app?.api_key_list.length], [appId, "Space Miner", 1]);
  assert.deepEqual(others, []);
  await isRefused(client.create(orgId, "space miner"), 409, "name_taken");
  assert.equal(await client.delete(appId), "deleted");
  assert.deepEqual(await client.apps(orgId), []);
  await isRefused(client.delete(appId), 403, "not_allowed");
  assert.equal(await client.logout(), "logged_out");
  await isRefused(client.user(), 403, "not_logged_in");
}

async function isRefused(call: Promise<unknown>, status: number, code: string): Promise<void> {
  await assert.rejects(call, new Refused(status, code));
}

/** Types the code on the page that the mail links to. */
async function verify(manualCode: string): Promise<void> {
  const body = new URLSearchParams({ manual_code: manualCode });
  const page = await fetch(await verificationUrl(), { method: "POST", body });
  assert.ok(page.ok, `the page answers ${page.status}`);
}

async function verificationUrl(): Promise<string> {
  for (let turn = 0; turn < 2000; turn++) {
    for (const name of readdirSync(MAILS).filter((name) => name.endsWith(".eml"))) {
      const text = readFileSync(join(MAILS, name), "utf8").replaceAll("\r\n", "\n");
      const link = /http\S+\/verify\/\S+/.exec(text);
      if (text.includes(`\nTo: ${EMAIL}\n`) && link) {
        rmSync(join(MAILS, name));
        return link[0];
      }
    }
    await setTimeout(10);
  }
  return assert.fail(`no mail came for ${EMAIL}`);
}
