// The client of @hey-api/openapi-ts, over fetch.

import { createApp, deleteApp, getUser, listApps, login, logout } from "./generated";
import type { Problem } from "./generated";
import { client } from "./generated/client.gen";
import { live, Refused, URL } from "./life";

client.setConfig({ baseUrl: URL });

function data<T>(reply: { data?: T; error?: Problem }): T {
  if (reply.error) throw new Refused(reply.error.status, reply.error.code);
  return reply.data as T;
}

await live({
  login: async (email) => data(await login({ body: { email } })),
  use: (key) => client.setConfig({ auth: (scheme) => (scheme.scheme === "bearer" ? key : undefined) }),
  user: async () => data(await getUser()),
  apps: async (org_id) => data(await listApps({ query: { org_id } })).app_list,
  create: async (org_id, app_name) => data(await createApp({ body: { org_id, app_name } })).app_id,
  delete: async (app_id) => data(await deleteApp({ path: { app_id } })).result,
  logout: async () => data(await logout()).result,
});
