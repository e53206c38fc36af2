-- KEYS[1]: the hash of a key. ARGV: a new generation, the value's life in ms, the loader's head start in ms.
-- Answers {generation, value or false, 1 when the caller should load}.
local found = redis.call('HMGET', KEYS[1], 'g', 'v', 'l')
local g, v, l = found[1], found[2], found[3]
if not g then
  g = ARGV[1]
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'g', g)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  v, l = false, false
end
if v then return {g, v, 0} end
-- Closed by a writer: everybody loads for themselves and nobody stores.
if string.sub(g, 1, 1) == '!' then return {g, false, 1} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if l and tonumber(l) > now then return {g, false, 0} end
redis.call('HSET', KEYS[1], 'l', now + ARGV[3])
return {g, false, 1}
