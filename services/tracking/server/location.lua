-- Takes in a batch of fixes: for each one it limits the rider's rate, looks up what the rider carries, judges the fix
-- against the rider's current one, and, when the rider is carrying an order, stores and publishes the position. One
-- script because each step must hold until the last: between a check outside and a write here a hand-over could slip in,
-- and the customer would see where the rider goes afterwards.
--
-- KEYS[i]   hash of the rider of fix i:
--             o    order carried or offered, '' for none      p    phase
--             ta,to latitude and longitude of the next stop   leg  metres from there to the drop-off
--             t,la,lo the current fix: Unix ms and degrees    v    running average of ground speed, m/s
--             bad  implausible fixes in a row                 tat  GCRA: theoretical arrival time, ms
--             ck   when delivery was last asked because a rider named an order that is not in o, ms
-- ARGV[1..11] now in ms, TTL in s, rate per s (0 = off), max speed m/s, slack m, max implausible,
--             detour factor, default speed, min speed, speed weight, earth radius
-- then for each fix 8 arguments: orderId or '', Unix ms, latitude, longitude,
--             JSON up to the order's id, JSON from there without the closing brace, flag: '1' publishes the current fix
--             again, for a rider who was just accepted for an order; measured speed in m/s or ''
-- Returns one integer for each fix: see the outcome constants in store.go.
local now, ttl, rate = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local maxSpeed, slack, maxBad = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local detour, defaultSpeed, minSpeed = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local weight, radius = tonumber(ARGV[10]), tonumber(ARGV[11])
local rad = math.pi / 180
local call, floor = redis.call, math.floor

-- Flat-earth distance: within a city its error is far below that of the fix, and it needs one cosine.
local function distance(la1, lo1, la2, lo2)
  local dlo = (lo2 - lo1 + 540) % 360 - 180
  local x = dlo * rad * math.cos((la1 + la2) / 2 * rad)
  local y = (la2 - la1) * rad
  return radius * math.sqrt(x * x + y * y)
end

local function eta(h, la, lo, v)
  local ta, to = tonumber(h[3]), tonumber(h[4])
  if not ta or not to then return '' end
  local metres = (distance(la, lo, ta, to) + (tonumber(h[5]) or 0)) * detour
  local minutes = math.ceil(metres / math.max(v or defaultSpeed, minSpeed) / 60)
  return ',"etaMinutes":' .. string.format('%d', math.max(1, minutes))
end

local function take(key, a)
  local order, t = ARGV[a], tonumber(ARGV[a + 1])
  local la, lo = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local again = ARGV[a + 6] == '1'
  local h = call('HMGET', key, 'o', 'p', 'ta', 'to', 'leg', 't', 'la', 'lo', 'v', 'bad', 'tat', 'ck')
  local carried = h[1]
  if not carried then return -5 end
  local carrying = carried ~= '' and h[2] ~= 'offered'

  local tat = tonumber(h[11]) or 0
  if rate > 0 and not again then
    tat = math.max(tat, now) + 1000 / rate
    if tat - now > 1000 then return 1000 + floor(tat - now - 1000) + 1 end
  end
  -- Refused fixes count against the rate too, or refusals would be a way round it.
  local function refuse(code, field, value)
    call('HSET', key, 'tat', tat, field or 'o', value or carried)
    return code
  end
  if order ~= '' and not (carrying and order == carried) then
    if now - (tonumber(h[12]) or 0) < 1000 then return refuse(-4) end
    return refuse(-5, 'ck', now)
  end

  local v, bad, last = tonumber(h[9]), tonumber(h[10]) or 0, tonumber(h[6])
  if last and not again then
    if t < last then return refuse(-1) end
    local la0, lo0 = tonumber(h[7]), tonumber(h[8])
    if t == last then return refuse((la == la0 and lo == lo0) and -2 or -1) end
    local metres, seconds = distance(la0, lo0, la, lo), (t - last) / 1000
    if metres - slack > maxSpeed * seconds and bad < maxBad then
      return refuse(-3, 'bad', bad + 1)
    end
    local speed = tonumber(ARGV[a + 7]) or metres / seconds
    -- Standing still is waiting for the food or at a light; it says nothing about how fast the rider will ride.
    if bad < maxBad and speed > 0.5 and seconds < 300 then
      speed = math.min(speed, maxSpeed)
      v = v and (v + weight * (speed - v)) or speed
    end
  end
  if not again then
    call('HSET', key, 't', ARGV[a + 1], 'la', ARGV[a + 2], 'lo', ARGV[a + 3], 'v', v or '', 'bad', 0, 'tat', tat)
  end
  if not carrying then return 2 end

  local value = ARGV[a + 4] .. carried .. ARGV[a + 5] .. eta(h, la, lo, v) .. '}'
  call('SET', 'tracking:order:' .. carried, value, 'EX', ttl)
  call('PUBLISH', 'tracking:live:' .. carried, '{"event":"location-updated","data":' .. value .. '}')
  return 1
end

local out = {}
for i = 1, #KEYS do
  out[i] = take(KEYS[i], 12 + (i - 1) * 8)
end
return out
