-- Takes one token of each bucket, in order; the first empty one ends it. The generic cell rate algorithm: a bucket is the
-- theoretical arrival time of its next request, in microseconds of Redis' own clock, so all nodes share one.
-- KEYS: buckets. ARGV: for each its interval and its tolerance (burst - 1 intervals), in microseconds.
-- Answers {0, 0}, or the place of the empty bucket from 1 and the microseconds until it holds a token.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for place, bucket in ipairs(KEYS) do
    local interval = tonumber(ARGV[2 * place - 1])
    local tolerance = tonumber(ARGV[2 * place])
    local arrival = math.max(tonumber(redis.call('GET', bucket) or now), now)
    local wait = arrival - tolerance - now
    if wait > 0 then
        return {place, math.ceil(wait)}
    end
    local following = arrival + interval
    redis.call('SET', bucket, string.format('%.0f', following), 'PX', math.ceil((following - now) / 1000) + 1)
end
return {0, 0}
