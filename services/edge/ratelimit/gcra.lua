-- Decides a batch of requests by GCRA, in order. Each request names one or two keys that must all agree; a refused
-- request costs nothing. A key holds its theoretical arrival time (TAT) in microseconds of this server's clock, the
-- only clock all edges share.
--
-- KEYS: the keys of all requests, one after the other.
-- ARGV: per request: how many keys it has, its emission interval in microseconds, its burst in requests.
-- Answer: per request: 1 or 0, requests left, microseconds to wait, microseconds until everything is left again.

-- Not into the append-only file: a write for each request makes Redis wait for the disk now and then, and every request
-- with it. A restart may forget who has asked how often.
redis.set_repl(redis.REPL_NONE)

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer, key = {}, 1
local tats, spent = {}, {} -- of each key, so that one that comes again is neither read nor written twice

for i = 1, #ARGV, 3 do
  local keys, interval, burst = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local window = interval * burst
  local worst = 0
  for k = key, key + keys - 1 do
    local name = KEYS[k]
    tats[name] = tats[name] or math.max(tonumber(redis.call('GET', name) or now), now)
    worst = math.max(worst, tats[name] - now + interval)
  end
  local allowed = worst <= window
  if allowed then
    for k = key, key + keys - 1 do
      tats[KEYS[k]] = tats[KEYS[k]] + interval
      spent[KEYS[k]] = true
    end
  else
    worst = worst - interval
  end
  answer[#answer + 1] = allowed and 1 or 0
  answer[#answer + 1] = math.max(math.floor((window - worst) / interval), 0)
  answer[#answer + 1] = allowed and 0 or (worst + interval - window)
  answer[#answer + 1] = worst
  key = key + keys
end

for name in pairs(spent) do
  -- "%.0f", because Lua would write large numbers with 14 digits only.
  redis.call('SET', name, string.format('%.0f', tats[name]), 'PX', math.ceil((tats[name] - now) / 1000))
end
return answer
