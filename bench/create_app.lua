-- Creates an application of a name of its own with each request. The environment names the
-- organization (ORG_ID), the key (SESSION_KEY), and what the names begin with (NAMES).
dofile(os.getenv("LATENCY"))

local org_id, names, count = os.getenv("ORG_ID"), os.getenv("NAMES"), 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("SESSION_KEY")

request = function()
  count = count + 1
  local body = string.format('{"org_id": %s, "app_name": "%s %d"}', org_id, names, count)
  return wrk.format(nil, "/api/1/app", nil, body)
end
