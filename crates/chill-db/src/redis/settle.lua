-- Settles a wish; `enter.lua` says what one is.
-- KEYS: the wishes. ARGV: its stream; `claim` an open one, `reopen` a claimed one, or `withdraw` an open one; how long a
-- claim lasts in milliseconds.
-- Answers 1 when that was done, else 0.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wishes, stream, answer, lasts = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local said = redis.call('HGET', wishes, stream)
if not said or tonumber(string.match(said, '^%d+')) <= now then
    return 0
end
local claimed = tonumber(said) ~= nil
if claimed ~= (answer == 'reopen') then
    return 0
end
if answer == 'claim' then
    redis.call('HSET', wishes, stream, string.format('%.0f', now + lasts))
    redis.call('PEXPIRE', wishes, lasts)
else
    redis.call('HDEL', wishes, stream)
end
return 1
