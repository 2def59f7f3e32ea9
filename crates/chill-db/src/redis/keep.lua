-- Renews places, or gives them back.
-- KEYS: groups. ARGV: how long a place lasts in milliseconds, 0 to give it back; for each group a stream.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lasts = tonumber(ARGV[1])
for place, group in ipairs(KEYS) do
    if lasts > 0 then
        redis.call('ZADD', group, string.format('%.0f', now + lasts), ARGV[place + 1])
        redis.call('PEXPIRE', group, lasts)
    else
        redis.call('ZREM', group, ARGV[place + 1])
    end
end
return 1
