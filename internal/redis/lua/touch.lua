-- Notes which regions have couriers.
-- KEYS: regions by the server's ms (sorted set). ARGV: ms to keep, regions.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local args = {}
for i = 2, #ARGV do
  args[#args + 1] = string.format('%.0f', now)
  args[#args + 1] = ARGV[i]
end
redis.call('ZADD', KEYS[1], unpack(args))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[1]))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
