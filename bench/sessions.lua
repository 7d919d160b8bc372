-- Asks who is logged in with one of many sessions, as the environment says: SESSIONS of them, whose keys
-- begin with KEY.
dofile(os.getenv("LATENCY"))

local key, sessions = os.getenv("KEY"), tonumber(os.getenv("SESSIONS"))

request = function()
  wrk.headers["Authorization"] = "Bearer " .. key .. math.random(sessions)
  return wrk.format("GET", "/api/1/user")
end
