-- Ends a rider's work on an order: from here on location.lua finds nothing to publish for it, and what was stored is gone.
--
-- KEYS[1] the rider's hash (see location.lua), KEYS[2] the mark that this rider was released from this order,
-- KEYS[3] the order's latest fix
-- ARGV    order, seconds for which the mark is kept: longer than any hint or event can be late
redis.call('SET', KEYS[2], '1', 'EX', ARGV[2])
redis.call('DEL', KEYS[3])
if redis.call('HGET', KEYS[1], 'o') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'o', '', 'p', '', 'ta', '', 'to', '', 'leg', '')
end
return 1
