-- Writes down how many sockets one edge holds, and counts those of all edges that
-- have been heard of lately. The time is Redis's own: clocks of edges differ.
-- KEYS[1] hash of edge -> "sockets seconds"; ARGV edge, sockets, seconds of silence after which an edge is gone
local now = tonumber(redis.call('TIME')[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. now)
redis.call('EXPIRE', KEYS[1], 60)
local edges, sockets = 0, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local held, at = string.match(all[i + 1], '^(%d+) (%d+)$')
  if not at or now - tonumber(at) > tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    edges, sockets = edges + 1, sockets + tonumber(held)
  end
end
return {edges, sockets}
