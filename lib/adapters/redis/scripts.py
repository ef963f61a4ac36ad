"""
The Lua that writes candles: the only code that touches the lists, so they are contiguous by construction.

Redis 6.2 commands only. Every script is idempotent: a client that lost the answer may run it again and the list ends
the same (a message may be published twice; readers key by timestamp). Lua reads the timestamp of stored text by
pattern; `candle_wire` owns that text. *CORRUPT* errors mean the list holds something this code did not write.
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
