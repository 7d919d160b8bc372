// The client of orval, over fetch.

import { createApp, deleteApp, getUser, listApps, login, logout } from "./generated";
import type { Problem } from "./generated";
import { live, Refused } from "./life";

let headers = {};

function data<T>(reply: { status: number; data: T | Problem }): T {
  if (reply.status !== 200) {
    const problem = reply.data as Problem;
    throw new Refused(problem.status, problem.code);
  }
  return reply.data as T;
}

await live({
  login: async (email) => data(await login({ email })),
  use: (key) => {
    headers = { Authorization: `Bearer ${key}` };
  },
  user: async () => data(await getUser({ headers })),
  apps: async (org_id) => data(await listApps({ org_id }, { headers })).app_list,
  create: async (org_id, app_name) => data(await createApp({ org_id, app_name }, { headers })).app_id,
  delete: async (app_id) => data(await deleteApp(app_id, { headers })).result,
  logout: async () => data(await logout({ headers })).result,
});
