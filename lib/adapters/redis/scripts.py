"""
The Lua that writes candles: the only code that touches the lists, so they are contiguous by construction. And the Lua
that counts calls to the venue, the only code that touches its counters.

Redis 6.2 commands only. Every script may be run again by a client that lost the answer: a candle list ends the same (a
message may be published twice; readers key by timestamp), calls are counted twice, which is on the safe side. Lua reads
the timestamp of stored text by pattern; `candle_wire` owns that text. *CORRUPT* errors mean the list holds something
this code did not write.
"""

APPEND = """
-- KEYS: list (and channel of the same name). ARGV: capacity, step ms, then candles oldest first.
local function opened(json) return tonumber(string.match(json, '^{"timestamp":(%d+),')) end
local key, capacity, step = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local head = redis.call('LINDEX', key, 0)
local newest = nil
if head then
  newest = opened(head)
  if not newest then return redis.error_reply('CORRUPT newest candle') end
end
local outcome, grown = 'ignored', false
for i = 3, #ARGV do
  local json = ARGV[i]
  local at = opened(json)
  if not newest or at == newest + step then
    redis.call('LPUSH', key, json)
    newest, outcome, grown = at, 'appended', true
    redis.call('PUBLISH', key, '{"closed":true,"candle":' .. json .. '}')
  elseif at == newest then
    redis.call('LSET', key, 0, json)
    outcome = 'replaced'
    redis.call('PUBLISH', key, '{"closed":true,"candle":' .. json .. '}')
  elseif at < newest then
    outcome = 'ignored'
  else
    outcome = 'gap'
    break
  end
end
if grown then redis.call('LTRIM', key, 0, capacity - 1) end
return outcome
"""

REBUILD = """
-- KEYS: list, its replacement. ARGV: candles newest first. Readers see the old list or the new one, never a part.
-- Redis refuses for want of memory only before a script's first write, so nothing may be deleted before the RPUSH.
local key, fresh = KEYS[1], KEYS[2]
if redis.call('EXISTS', fresh) == 1 then redis.call('DEL', fresh) end
if #ARGV == 0 then
  redis.call('DEL', key)
  return 0
end
for from = 1, #ARGV, 1000 do
  redis.call('RPUSH', fresh, unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
redis.call('RENAME', fresh, key)
redis.call('PUBLISH', key, '{"closed":true,"rebuilt":true,"candle":' .. ARGV[1] .. '}')
return #ARGV
"""

PUT_FORMING = """
-- KEYS: forming key, channel. ARGV: message.
redis.call('SET', KEYS[1], ARGV[1])
redis.call('PUBLISH', KEYS[2], ARGV[1])
return 1
"""

TAKE_CALLS = """
-- KEYS: the address's calls, its pace, its ban; then for each call its endpoint's window and that window's closure.
-- ARGV: span of the address's window, gap of its pace, most calls in that span, most calls at once, span of an
-- endpoint's window (spans and gaps in microseconds); then for each call: its lane's calls, its lane's burst, its
-- endpoint's calls (0 = none).
-- Answers the ban's ms when there is one, else 0 and for each call: 0 = go, and it is counted; n = the address is full
-- for n microseconds; -n = its endpoint is.
local ban = redis.call('PTTL', KEYS[3])
if ban > 0 then return {ban} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local span, gap, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at_once, short = tonumber(ARGV[4]), tonumber(ARGV[5])
local function full_for(key, calls, within)
  local newest = redis.call('LINDEX', key, -1)
  if not newest then return 0 end
  if tonumber(newest) > now + within then  -- the clock went back: the pace alone holds until the window is full again
    redis.call('DEL', key)
    return 0
  end
  local first = redis.call('LINDEX', key, -calls)
  return first and math.max(0, first + within - now) or 0
end
local function count(key, calls, within)
  redis.call('RPUSH', key, string.format('%.0f', now))
  redis.call('LTRIM', key, -calls, -1)
  redis.call('PEXPIRE', key, within / 1000 * 2)
end
local next_at = tonumber(redis.call('GET', KEYS[2]) or now + span * 2)
if next_at > now + span then next_at = now + (at_once - 1) * gap end  -- new, flushed, or the clock went back: no burst
if next_at < now then next_at = now end
local answer = {0}
for i = 1, (#ARGV - 5) / 3 do
  local calls, burst, own_calls = tonumber(ARGV[3 + i * 3]), tonumber(ARGV[4 + i * 3]), tonumber(ARGV[5 + i * 3])
  local own, closure = KEYS[2 + i * 2], KEYS[3 + i * 2]
  local own_wait = math.max(0, redis.call('PTTL', closure)) * 1000
  if own_calls > 0 then own_wait = math.max(own_wait, full_for(own, own_calls, short)) end
  local wait = math.max(full_for(KEYS[1], calls, span), next_at - now - (burst - 1) * gap)
  if own_wait > 0 then
    answer[i + 1] = -own_wait
  elseif wait > 0 then
    answer[i + 1] = wait
  else
    answer[i + 1] = 0
    count(KEYS[1], most, span)
    if own_calls > 0 then count(own, own_calls, short) end
    next_at = next_at + gap
  end
end
redis.call('SET', KEYS[2], string.format('%.0f', next_at), 'PX', span / 1000 * 2)
return answer
"""

CLOSE_CALLS = """
-- KEYS: a ban or closure. ARGV: ms. The longer one stands.
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 1
"""
