-- Puts couriers into a region's GEO set and takes others out.
-- KEYS: couriers by place (GEO set), couriers by the sequence with which they
--       came or left (sorted set).
-- ARGV: ms to keep, number of those who come, number of those who move in the
--       region; for each of these, in this order: courier, sequence, longitude,
--       latitude; for each that leaves: courier, sequence.
-- Nothing is done to a courier that came or left later. One that moves in the
-- region is not noted, since that would be half of the work, unless it was not
-- known here, or so long ago that it would be dropped for its age.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local keep = ARGV[1] * 1000
local come = tonumber(ARGV[2])
local stay = come + tonumber(ARGV[3])
local ids, seqs = {}, {}
for i = 0, stay - 1 do
  ids[#ids + 1] = ARGV[4 + 4 * i]
  seqs[#seqs + 1] = ARGV[5 + 4 * i]
end
for i = 4 + 4 * stay, #ARGV, 2 do
  ids[#ids + 1] = ARGV[i]
  seqs[#seqs + 1] = ARGV[i + 1]
end
local held = redis.call('ZMSCORE', KEYS[2], unpack(ids))
local places, leave, done = {}, {}, {}
for i = 1, #ids do
  local last = held[i] and tonumber(held[i])
  if not last or last <= tonumber(seqs[i]) then
    if i <= come or i > stay or not last or last < now - keep / 2 then
      done[#done + 1] = seqs[i]
      done[#done + 1] = ids[i]
    end
    if i <= stay then
      places[#places + 1] = ARGV[4 * i + 2]
      places[#places + 1] = ARGV[4 * i + 3]
      places[#places + 1] = ids[i]
    else
      leave[#leave + 1] = ids[i]
    end
  end
end
if #places > 0 then redis.call('GEOADD', KEYS[1], unpack(places)) end
if #leave > 0 then redis.call('ZREM', KEYS[1], unpack(leave)) end
if #done > 0 then redis.call('ZADD', KEYS[2], unpack(done)) end
-- As many as may have come, so that the set does not grow over its age.
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - keep), 'LIMIT', 0, 1000)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
