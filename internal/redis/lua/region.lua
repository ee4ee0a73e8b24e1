-- Puts couriers into a region's GEO set and takes others out.
-- KEYS: couriers by place (GEO set), couriers by the sequence of what was last
--       done to them here (sorted set; also those that have left).
-- ARGV: ms to keep, number of those who come; for each of these: courier,
--       sequence, longitude, latitude; for each that leaves: courier, sequence.
-- Nothing is done to a courier that something later was done to.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local come = tonumber(ARGV[2])
local ids, seqs = {}, {}
for i = 0, come - 1 do
  ids[#ids + 1] = ARGV[3 + 4 * i]
  seqs[#seqs + 1] = ARGV[4 + 4 * i]
end
for i = 3 + 4 * come, #ARGV, 2 do
  ids[#ids + 1] = ARGV[i]
  seqs[#seqs + 1] = ARGV[i + 1]
end
local held = redis.call('ZMSCORE', KEYS[2], unpack(ids))
local places, leave, done = {}, {}, {}
for i = 1, #ids do
  if not held[i] or tonumber(held[i]) <= tonumber(seqs[i]) then
    done[#done + 1] = seqs[i]
    done[#done + 1] = ids[i]
    if i <= come then
      places[#places + 1] = ARGV[4 * i + 1]
      places[#places + 1] = ARGV[4 * i + 2]
      places[#places + 1] = ids[i]
    else
      leave[#leave + 1] = ids[i]
    end
  end
end
if #places > 0 then redis.call('GEOADD', KEYS[1], unpack(places)) end
if #leave > 0 then redis.call('ZREM', KEYS[1], unpack(leave)) end
if #done > 0 then redis.call('ZADD', KEYS[2], unpack(done)) end
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - ARGV[1] * 1000), 'LIMIT', 0, 500)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
