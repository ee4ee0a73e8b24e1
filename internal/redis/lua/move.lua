-- Takes the fixes of one shard that are newer than those held.
-- KEYS: records by courier (hash), couriers by time received (sorted set).
-- ARGV: ms to keep the keys, received before which couriers are dropped;
--       then for each fix: courier, received in µs, region and body (codec.go).
-- A record is: sequence (a double), the region before, region, body.
-- Answers, for each fix, sequence and region before, or '' if it is not taken.
-- A fix that is held already gets the answer that it got the first time.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local n = (#ARGV - 2) / 3
local ids = {}
for i = 1, n do ids[i] = ARGV[3 * i] end
local held = redis.call('HMGET', KEYS[1], unpack(ids))
local records, heard, out = {}, {}, {}
for i = 1, n do
  local fix, old = ARGV[3 * i + 2], held[i]
  out[i] = ''
  if old and #old ~= 16 + #fix then old = nil end -- of another version
  if not old or struct.unpack('>d', fix, 9) > struct.unpack('>d', old, 25) then
    -- The server's clock, so that sequences grow even over a Remove.
    local seq, before = now, string.rep('\0', 8)
    if old then
      seq = math.max(now, struct.unpack('>d', old) + 1)
      before = string.sub(old, 17, 24)
    end
    local head = struct.pack('>d', seq) .. before
    records[#records + 1] = ids[i]
    records[#records + 1] = head .. fix
    heard[#heard + 1] = ARGV[3 * i + 1]
    heard[#heard + 1] = ids[i]
    out[i] = head
  elseif old and string.sub(old, 17) == fix then
    out[i] = string.sub(old, 1, 16)
  end
end
if #records > 0 then
  redis.call('HSET', KEYS[1], unpack(records))
  redis.call('ZADD', KEYS[2], unpack(heard))
end
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[2], 'LIMIT', 0, 1000)
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return out
