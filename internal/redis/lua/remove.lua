-- Forgets couriers of one shard.
-- KEYS: as of move.lua. ARGV: couriers.
-- Answers, for each, sequence, the region before and region, or ''.
local held = redis.call('HMGET', KEYS[1], unpack(ARGV))
for i = 1, #ARGV do
  held[i] = held[i] and string.sub(held[i], 1, 24) or ''
end
redis.call('HDEL', KEYS[1], unpack(ARGV))
redis.call('ZREM', KEYS[2], unpack(ARGV))
return held
