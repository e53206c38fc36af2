-- What is known about a rider, as one packed string: ten numbers, the phase and the order. A hash would be nicer to look
-- at, and would make location.lua, which runs for every fix of every rider, take three times as long.
--
--   t, la, lo   the current fix: Unix ms (0: none) and degrees
--   v           running average of ground speed, m/s; negative when unknown
--   bad         implausible fixes in a row
--   tat         rate limit (GCRA): theoretical arrival time of the next fix, Unix ms
--   ck          when delivery was last asked because the rider named an order that is not this one, Unix ms
--   ta, to      the next stop in degrees; ta is 999 when it is unknown
--   leg         metres from there to the drop-off
--   phase       0 none, 1 offered, 2 accepted, 3 picked up
--   order       id, '' for none
local layout, size = '<ddddddddddB', 81
local unpack, pack, sub, call = struct.unpack, struct.pack, string.sub, redis.call

local function load(key)
  local s = call('GET', key)
  if not s then return nil end
  local t, la, lo, v, bad, tat, ck, ta, to, leg, phase = unpack(layout, s)
  return t, la, lo, v, bad, tat, ck, ta, to, leg, phase, sub(s, size + 1)
end

local function packed(t, la, lo, v, bad, tat, ck, ta, to, leg, phase, order)
  return pack(layout, t, la, lo, v, bad, tat, ck, ta, to, leg, phase) .. order
end
