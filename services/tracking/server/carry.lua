-- Records which order a rider carries, '' for none, unless that is already over.
--
-- KEYS[1] the rider's hash (see location.lua), KEYS[2] the mark that this rider was released from this order,
-- KEYS[3] who carries the order
-- ARGV    rider, order or '', phase, latitude and longitude of the next stop or '', metres from there to the drop-off,
--         TTL of the hash in s
-- Returns {0} when it changed nothing, else {1, time, latitude, longitude} of the rider's current fix, if any.
local rank = { offered = 1, accepted = 2, picked_up = 3 }
local rider, order, phase = ARGV[1], ARGV[2], ARGV[3]

-- Hints and events arrive in any order. What has ended stays ended, and no phase is taken back.
if order ~= '' and redis.call('EXISTS', KEYS[2]) == 1 then return { 0 } end
local h = redis.call('HMGET', KEYS[1], 'o', 'p', 't', 'la', 'lo')
if order ~= '' and h[1] == order and (rank[h[2]] or 0) > (rank[phase] or 0) then return { 0 } end
-- "Nothing" may have been read before an acceptance that is recorded by now. Only a release ends what was accepted.
if order == '' and h[1] and h[1] ~= '' and h[2] ~= 'offered' then return { 0 } end

redis.call('HSET', KEYS[1], 'o', order, 'p', phase, 'ta', ARGV[4], 'to', ARGV[5], 'leg', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[7])
if order ~= '' and phase ~= 'offered' then redis.call('SET', KEYS[3], rider, 'EX', ARGV[7]) end
if not h[3] then return { 1 } end
return { 1, h[3], h[4], h[5] }
