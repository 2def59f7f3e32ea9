-- Reads the wishes that no edge has claimed; `enter.lua` says what one is.
-- KEYS: the wishes. Answers for each its stream and what it says, with a blank between.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all, open = redis.call('HGETALL', KEYS[1]), {}
for n = 1, #all, 2 do
    local ends, said = string.match(all[n + 1], '^(%d+) (.+)$')
    if ends and tonumber(ends) > now then
        open[#open + 1] = all[n] .. ' ' .. said
    end
end
return open
