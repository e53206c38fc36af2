-- Takes in a batch of fixes: for each one it limits the rider's rate, looks up what the rider carries, judges the fix
-- against the rider's current one, and, when the rider is carrying an order, stores and publishes the position. One
-- script because each step must hold until the last: between a check outside and a write here a hand-over could slip in,
-- and the customer would see where the rider goes afterwards.
--
-- KEYS[i]      rider of fix i, see rider.lua
-- ARGV[1..11]  now in ms, TTL in s, rate per s (0 = off), max speed m/s, slack m, max implausible,
--              detour factor, default speed, min speed, speed weight, earth radius
-- then for each fix its numbers, packed (Unix ms, latitude, longitude, measured speed or negative, and 1 to publish the
--              current fix again for a rider who was just accepted for an order) and followed by the order's id or '',
--              and its JSON with that id and without the closing brace.
-- Returns one integer for each fix: see the outcome constants in store.go.
local now, ttl, rate = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local maxSpeed, slack, maxBad = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local detour, defaultSpeed, minSpeed = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local weight, radius = tonumber(ARGV[10]), tonumber(ARGV[11])
local rad, cos, sqrt, ceil, max, min = math.pi / 180, math.cos, math.sqrt, math.ceil, math.max, math.min

-- Where the order's id goes in the JSON: after {"timestamp":"2026-11-22T14:08:39.000Z","orderId":"
local idAt = 51

-- Flat-earth distance: within a city its error is far below that of the fix, and it needs one cosine.
local function distance(la1, lo1, la2, lo2)
  local x = ((lo2 - lo1 + 540) % 360 - 180) * rad * cos((la1 + la2) / 2 * rad)
  local y = (la2 - la1) * rad
  return radius * sqrt(x * x + y * y)
end

-- Keeps what a refusal changes: refused fixes count against the rate too, or refusals would be a way round it.
local function refuse(code, key, ...)
  call('SET', key, packed(...), 'KEEPTTL')
  return code
end

local function take(key, numbers, json)
  local at, lat, lon, measured, again = unpack('<ddddB', numbers)
  local wanted = sub(numbers, 34)
  local t, la, lo, v, bad, tat, ck, ta, to, leg, phase, order = load(key)
  if not t then return -5 end
  -- A newer fix came in between: it was published for the order, and the older one must not take its place.
  if again == 1 and at < t then return 2 end

  if rate > 0 and again == 0 then
    tat = max(tat, now) + 1000 / rate
    if tat - now > 1000 then return 1000 + ceil(tat - now - 1000) end
  end
  if wanted ~= '' and (wanted ~= order or phase < 2) then
    local code = -4
    if now - ck >= 1000 then ck, code = now, -5 end
    return refuse(code, key, t, la, lo, v, bad, tat, ck, ta, to, leg, phase, order)
  end

  if t > 0 and again == 0 then
    local code
    local metres, seconds = distance(la, lo, lat, lon), (at - t) / 1000
    if at == t and lat == la and lon == lo then
      code = -2
    elseif at <= t then
      code = -1
    elseif metres - slack > maxSpeed * seconds and bad < maxBad then
      bad, code = bad + 1, -3
    end
    if code then return refuse(code, key, t, la, lo, v, bad, tat, ck, ta, to, leg, phase, order) end
    local speed = measured >= 0 and measured or metres / seconds
    -- Standing still is waiting for the food or at a light; it says nothing about how fast the rider will ride.
    if bad < maxBad and speed > 0.5 and seconds < 300 then
      speed = min(speed, maxSpeed)
      v = v >= 0 and v + weight * (speed - v) or speed
    end
  end
  if again == 0 then
    call('SET', key, packed(at, lat, lon, v, 0, tat, ck, ta, to, leg, phase, order), 'KEEPTTL')
  end
  if phase < 2 then return 2 end

  if wanted == '' then json = sub(json, 1, idAt) .. order .. sub(json, idAt + 1) end
  local eta = '}'
  if ta ~= 999 then
    local metres = (distance(lat, lon, ta, to) + leg) * detour
    eta = ',"etaMinutes":' .. max(1, ceil(metres / max(v >= 0 and v or defaultSpeed, minSpeed) / 60)) .. '}'
  end
  call('SET', 'tracking:order:' .. order, json .. eta, 'EX', ttl)
  call('PUBLISH', 'tracking:live:' .. order, '{"event":"location-updated","data":' .. json .. eta .. '}')
  return 1
end

local out = {}
for i = 1, #KEYS do
  out[i] = take(KEYS[i], ARGV[10 + 2 * i], ARGV[11 + 2 * i])
end
return out
