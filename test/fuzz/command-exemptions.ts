/**
 * How replies of fuzzed commands are compared when bytes cannot be equal, and which commands are
 * not fuzzed, each with its reason. A command that stands in neither list is fuzzed and compared
 * byte for byte.
 */
import type { Comparison } from "../support/comparison.ts";

const SORTED: Comparison = { form: "sorted" };
const ERRORS_ONLY: Comparison = { form: "errors-only" };
const WITHIN_10_S: Comparison = { form: "within", difference: 10 };
const WITHIN_10_000_MS: Comparison = { form: "within", difference: 10_000 };

function forAll(comparison: Comparison, names: string): [string, Comparison][] {
  return names.split(/\s+/).map((name) => [name, comparison]);
}

export const WEAKER_COMPARISONS: ReadonlyMap<string, Comparison> = new Map([
  // The order is that of a hash table.
  ...forAll(SORTED, "keys smembers sinter sunion sdiff hgetall hkeys hvals acl|users acl|cat"),
  ...forAll(SORTED, "pubsub|channels pubsub|shardchannels sort sort_ro"),
  // The clocks of two servers.
  ...forAll(WITHIN_10_S, "ttl expiretime"),
  ...forAll(WITHIN_10_000_MS, "pttl pexpiretime"),
  // Chosen at random, or a cursor that means something to one server alone.
  ...forAll(ERRORS_ONLY, "randomkey srandmember hrandfield zrandmember acl|genpass lolwut"),
  ...forAll(ERRORS_ONLY, "scan sscan hscan zscan"),
  // Belongs to the instance: time, memory, identity, counters, its own command table.
  ...forAll(ERRORS_ONLY, "time lastsave info role memory|usage memory|stats memory|doctor hello"),
  ...forAll(
    ERRORS_ONLY,
    "memory|malloc-stats client|id client|info slowlog|get slowlog|len slowlog",
  ),
  ...forAll(ERRORS_ONLY, "latency|doctor latency|histogram latency|latest latency|reset command"),
  ...forAll(
    ERRORS_ONLY,
    "config|get command|list command|count command|docs command|info object|idletime object|freq",
  ),
  ...forAll(ERRORS_ONLY, "object|refcount dump function|dump function|stats xinfo|consumers"),
  ...forAll(ERRORS_ONLY, "xinfo|stream xpending module|list acl|list acl|getuser latency|history"),
  // 8.0 and 8.1 embed short values differently; the comparison of the keyspaces knows how.
  ...forAll(ERRORS_ONLY, "object|encoding"),
  // Results of queued commands, each of which has its own comparison; the data are compared.
  ...forAll(ERRORS_ONLY, "exec"),
  // Texts that grow with each version.
  ...forAll(ERRORS_ONLY, "acl|help client|help cluster|help command|help config|help"),
  ...forAll(ERRORS_ONLY, "function|help latency|help memory|help module|help object|help"),
  ...forAll(ERRORS_ONLY, "pubsub|help script|help slowlog|help xgroup|help xinfo|help"),
]);

function reason(text: string, names: string): [string, string][] {
  return names.split(/\s+/).map((name) => [name, text]);
}

export const EXEMPTIONS: ReadonlyMap<string, string> = new Map([
  ...reason("ends the server, its role or its data", "shutdown failover replicaof slaveof debug"),
  ...reason("another conversation follows", "sync psync replconf monitor quit client|reply"),
  ...reason(
    "answers with any number of messages; the pub/sub tests read them",
    "subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe",
  ),
  ...reason("waits", "blpop brpop blmove blmpop brpoplpush bzpopmin bzpopmax bzmpop wait waitaof"),
  ...reason(
    "stops or closes the fuzzer's own connections",
    "client|kill client|pause client|unpause",
  ),
  ...reason("sends invalidations between replies", "client|tracking client|caching"),
  ...reason(
    "arguments that 8.1 reads otherwise; connection.test.ts has it",
    "client|list client|unblock",
  ),
  ...reason("removes a member chosen at random", "spop"),
  ...reason("changes what later commands do; config.test.ts has it", "config|set config|rewrite"),
  ...reason("starts every counter of the other tests again", "config|resetstat"),
  ...reason("locks out or renames the fuzzer's user", "acl|setuser acl|deluser acl|load acl|save"),
  ...reason("entries carry times and addresses", "acl|log latency|graph"),
  ...reason("checks a user's rights on random commands: needs ACL's own tests", "acl|dryrun"),
  ...reason("writes files, in the background", "save bgsave bgrewriteaof"),
  ...reason("needs another server", "migrate"),
  ...reason("needs programs, not random text", "eval eval_ro evalsha evalsha_ro fcall fcall_ro"),
  ...reason("needs programs, not random text", "function|load function|restore script|load"),
  ...reason("puts the connection into the debugger", "script|debug"),
  ...reason("nothing runs that could be killed", "script|kill function|kill"),
  ...reason("loads code", "module|load module|loadex module|unload"),
  ...reason("inspects the implementation", "pfdebug pfselftest memory|purge restore-asking"),
  ...reason("only reached from a cluster's other nodes", "asking cluster"),
]);

/** The reason why a command is not fuzzed, its container's included, or null. */
export function exemptionOf(name: string): string | null {
  return EXEMPTIONS.get(name) ?? EXEMPTIONS.get(name.split("|")[0]) ?? null;
}
