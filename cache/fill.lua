-- KEYS[1]: the hash of a key. ARGV: the generation under which the value was loaded, the value.
-- Stores it only if no writer has come by since.
if redis.call('HGET', KEYS[1], 'g') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[2])
redis.call('HDEL', KEYS[1], 'l')
return 1
