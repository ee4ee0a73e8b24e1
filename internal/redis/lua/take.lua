-- A token bucket as the time at which it is full again (GCRA).
-- KEYS: that time in the server's µs. ARGV: µs a token, tokens at most, 1 to
-- take one or 0 to look. Answers the µs to wait: 0 if there is a token.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local each, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now))
full = math.min(full, now + each * burst) -- after a change of the limit
local wait = math.ceil(full + each - each * burst - now)
if wait > 0 then return wait end
if ARGV[3] == '1' then
  full = full + each
  redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
end
return 0
