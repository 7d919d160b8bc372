// The same operations in Fastify, with better-sqlite3 on the service's database; a process for each
// core. The variables are PORT and DATABASE.
const cluster = require("node:cluster");
const { createHash } = require("node:crypto");
const { availableParallelism } = require("node:os");

if (cluster.isPrimary) {
  for (let core = 0; core < availableParallelism(); core++) cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
} else {
  serve();
}

function serve() {
  const database = require("better-sqlite3")(process.env.DATABASE);
  const app = require("fastify")();
  const idleFor = 7 * 24 * 60 * 60 * 1000;
  const findSession = database.prepare(
    `SELECT user_id, user.email, display_name FROM session JOIN user ON user.id = user_id
     WHERE key_hash = ? AND state = 'active' AND expires_at > ? AND used_at > ?`,
  );
  const listOrgs = database.prepare(
    `SELECT org.id AS org_id, name FROM org JOIN membership ON org_id = org.id
     WHERE user_id = ? ORDER BY name`,
  );
  const findRole = database.prepare("SELECT role FROM membership WHERE user_id = ? AND org_id = ?");
  const listApps = database.prepare(
    "SELECT id AS app_id, name FROM app WHERE org_id = ? ORDER BY id",
  );
  const listKeys = database.prepare(
    "SELECT app_id, key FROM api_key JOIN app ON app.id = app_id WHERE org_id = ?",
  );
  const text = { type: "string" };
  const number = { type: "integer" };
  const object = (properties) => ({ type: "object", properties });
  const list = (items) => ({ type: "array", items });
  // What is known of a reply makes it faster to write.
  const userSchema = object({
    user_id: number,
    email: text,
    display_name: text,
    org_list: list(object({ org_id: number, name: text })),
  });
  const appsSchema = object({
    app_list: list(object({ app_id: number, name: text, api_key_list: list(text) })),
  });

  function session(request, reply) {
    const cookie = (request.headers.cookie ?? "").replace(/^session_key=/, "");
    const key = cookie || (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const now = Date.now();
    const hash = createHash("sha256").update(key).digest();
    const found = findSession.get(hash, now, now - idleFor);
    if (!found) reply.code(403).send({ detail: "not logged in" });
    return found;
  }

  app.get("/livez", async () => "alive\n");
  app.get("/api/1/user", { schema: { response: { 200: userSchema } } }, async (request, reply) => {
    const user = session(request, reply);
    if (!user) return reply;
    return { ...user, org_list: listOrgs.all(user.user_id) };
  });
  const asked = object({ org_id: number });
  const schema = { querystring: asked, response: { 200: appsSchema } };
  app.get("/api/1/app", { schema }, async (request, reply) => {
    const user = session(request, reply);
    if (!user) return reply;
    const org = request.query.org_id;
    if (!findRole.get(user.user_id, org)) return reply.code(403).send({ detail: "not allowed" });
    const apps = new Map();
    for (const app of listApps.all(org)) apps.set(app.app_id, { ...app, api_key_list: [] });
    for (const { app_id, key } of listKeys.all(org)) apps.get(app_id).api_key_list.push(key);
    return { app_list: [...apps.values()] };
  });
  app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
}
