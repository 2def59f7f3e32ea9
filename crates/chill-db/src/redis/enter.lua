-- Takes a place for a stream in each group, or in none when one is full. A group is a sorted set of streams by the moment
-- their place ends, in milliseconds of Redis' own clock, so all edges share one.
-- KEYS: groups. ARGV: the stream; how long its place lasts in milliseconds, 0 to take none; for each group how many it
-- holds; the streams that give their places for this one.
-- Answers 1 when there is room in all, else 0.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stream, lasts = ARGV[1], tonumber(ARGV[2])
local first_over = #KEYS + 3
for place, group in ipairs(KEYS) do
    redis.call('ZREMRANGEBYSCORE', group, '-inf', now)
    local held = redis.call('ZCARD', group)
    if redis.call('ZSCORE', group, stream) then
        held = held - 1
    end
    for over = first_over, #ARGV do
        if redis.call('ZSCORE', group, ARGV[over]) then
            held = held - 1
        end
    end
    if held >= tonumber(ARGV[place + 2]) then
        return 0
    end
end
if lasts > 0 then
    for _, group in ipairs(KEYS) do
        for over = first_over, #ARGV do
            redis.call('ZREM', group, ARGV[over])
        end
        redis.call('ZADD', group, string.format('%.0f', now + lasts), stream)
        redis.call('PEXPIRE', group, lasts)
    end
end
return 1
