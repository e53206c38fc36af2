-- Records which order a rider carries, '' for none, unless that is already over.
--
-- KEYS[1] the rider, see rider.lua; KEYS[2] the mark that this rider was released from this order; KEYS[3] who carries
-- the order
-- ARGV    rider, order or '', phase, latitude (999: unknown) and longitude of the next stop, metres from there to the
--         drop-off, TTL in s
-- Returns {0} when it changed nothing, else {1, time, latitude, longitude} of the rider's current fix, if any.
local rider, wanted, nextPhase = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- Hints and events arrive in any order. What has ended stays ended, and no phase is taken back.
if wanted ~= '' and call('EXISTS', KEYS[2]) == 1 then return { 0 } end
local t, la, lo, v, bad, tat, ck, _, _, _, phase, order = load(KEYS[1])
if t then
  if wanted ~= '' and order == wanted and phase > nextPhase then return { 0 } end
  -- "Nothing" may have been read before an acceptance that is recorded by now. Only a release ends what was accepted.
  if wanted == '' and phase >= 2 then return { 0 } end
else
  t, la, lo, v, bad, tat, ck = 0, 0, 0, -1, 0, 0, 0
end

call('SET', KEYS[1], packed(t, la, lo, v, bad, tat, ck, tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]),
  nextPhase, wanted), 'EX', ARGV[7])
if nextPhase >= 2 then call('SET', KEYS[3], rider, 'EX', ARGV[7]) end
if t == 0 then return { 1 } end
return { 1, string.format('%.17g', t), string.format('%.17g', la), string.format('%.17g', lo) }
