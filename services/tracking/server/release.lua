-- Ends a rider's work on an order: from here on location.lua finds nothing to publish for it, and what was stored is gone.
--
-- KEYS[1] the rider, see rider.lua; KEYS[2] the mark that this rider was released from this order; KEYS[3] the order's
-- latest fix
-- ARGV    order, seconds for which the mark is kept: longer than any hint or event can be late
call('SET', KEYS[2], '1', 'EX', ARGV[2])
call('DEL', KEYS[3])
local t, la, lo, v, bad, tat, ck, _, _, _, _, order = load(KEYS[1])
if t and order == ARGV[1] then
  call('SET', KEYS[1], packed(t, la, lo, v, bad, tat, ck, 999, 0, 0, 0, ''), 'KEEPTTL')
end
return 1
