// The types of openapi-typescript with openapi-fetch.

import createClient from "openapi-fetch";
import type { components, paths } from "./generated";
import { live, Refused, URL } from "./life";

const client = createClient<paths>({ baseUrl: URL });

function data<T>(reply: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (reply.error) throw new Refused(reply.error.status, reply.error.code);
  return reply.data as T;
}

await live({
  login: async (email) => data(await client.POST("/api/1/login", { body: { email } })),
  use: (key) =>
    client.use({
      onRequest: ({ request }) => request.headers.set("Authorization", `Bearer ${key}`),
    }),
  user: async () => data(await client.GET("/api/1/user")),
  apps: async (org_id) =>
    data(await client.GET("/api/1/app", { params: { query: { org_id } } })).app_list,
  create: async (org_id, app_name) =>
    data(await client.POST("/api/1/app", { body: { org_id, app_name } })).app_id,
  delete: async (app_id) =>
    data(await client.DELETE("/api/1/app/{app_id}", { params: { path: { app_id } } })).result,
  logout: async () => data(await client.POST("/api/1/logout")).result,
});
