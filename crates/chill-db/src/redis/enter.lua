-- Takes a place for a stream in each group, or in none when one is full. A group is a sorted set of streams by the moment
-- their place ends, in milliseconds of Redis' own clock, so all edges share one. A stream that is refused leaves its wish,
-- where one stream less in each full group is enough. A wish is a field of a hash, named by its stream: the moment it ends,
-- and what it says; when an edge has claimed it, the moment alone.
-- KEYS: the wishes; the groups. ARGV: the stream; how long its place lasts in milliseconds, 0 to take none; what its wish
-- says, which begins with the user, or nothing; how long that lasts; how many wishes there may be, and how many of one user;
-- for each group how many it holds; the streams that give their places for this one.
-- Answers 1 when there is room in all, else 0.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wishes, stream, lasts, wish = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local first_over = #KEYS + 6

-- Whether there is room for one more wish of the user.
local function may_wish(user)
    local all, of_user = redis.call('HGETALL', wishes), 0
    local open = #all / 2
    for n = 1, #all, 2 do
        if tonumber(string.match(all[n + 1], '^%d+')) <= now then
            redis.call('HDEL', wishes, all[n])
            open = open - 1
        elseif string.find(all[n + 1], ' ' .. user .. ' ', 1, true) then
            of_user = of_user + 1
        end
    end
    return open < tonumber(ARGV[5]) and of_user < tonumber(ARGV[6])
end

local function leave_wish(lacks)
    local former = redis.call('HGET', wishes, stream)
    local claimed = former and tonumber(former)
    if claimed and claimed > now then
        return
    end
    if former or may_wish(string.match(wish, '^%S+')) then
        redis.call('HSET', wishes, stream, string.format('%.0f ', now + ARGV[4]) .. wish .. lacks)
        redis.call('PEXPIRE', wishes, ARGV[4])
    end
end

local lacks, one_less_is_enough = '', true
for place = 2, #KEYS do
    local group, most = KEYS[place], tonumber(ARGV[place + 5])
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
    if held >= most then
        lacks = lacks .. ' ' .. group
        one_less_is_enough = one_less_is_enough and held == most
    end
end
if lacks ~= '' then
    if wish ~= '' and one_less_is_enough then
        leave_wish(lacks)
    end
    return 0
end
redis.call('HDEL', wishes, stream)
if lasts > 0 then
    for place = 2, #KEYS do
        local group = KEYS[place]
        for over = first_over, #ARGV do
            redis.call('ZREM', group, ARGV[over])
        end
        redis.call('ZADD', group, string.format('%.0f', now + lasts), stream)
        redis.call('PEXPIRE', group, lasts)
    end
end
return 1
