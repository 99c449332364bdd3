/** What the client says of itself: --help, --version, and `help` without a topic. */
import { BUNSEN } from "../../base/version.ts";

export function versionLine(program: string): string {
  const isBuilt = !/^0*$/.test(BUNSEN.gitSha);
  const git = isBuilt ? ` (git:${BUNSEN.gitSha}${BUNSEN.gitDirty ? "-dirty" : ""})` : "";
  return `${program} ${BUNSEN.version}${git}\n`;
}

/** Without a topic, `help` tells what there is. */
export function interactiveHelp(program: string, preferencesFile: string): string {
  return `${versionLine(program)}Help on commands:
      "help @<group>" lists the commands of a group
      "help <command>" describes a command
      "help <tab>" completes groups and commands
      "quit" ends the dialogue

Preferences, also in ~/${preferencesFile}:
      ":set hints" shows arguments while a command is typed
      ":set nohints" does not
`;
}

export function usage(program: string): string {
  return `${versionLine(program)}
Usage: ${program} [OPTIONS] [cmd [arg [arg ...]]]

Without a command, it reads commands from the terminal or from standard input.

Connection
  -h <hostname>        Server to talk to (127.0.0.1).
  -p <port>            Its port (6379).
  -s <socket>          A unix socket in place of host and port.
  -u <uri>             All in one: valkey://user:password@host:port/database. The schemes are
                       valkey and redis, valkeys and rediss with TLS.
  -t <seconds>         How long to try to connect (0: as long as the system does).
  -n <database>        Database number (0).
  -4, -6               Take the IPv4 or the IPv6 address of the host.
  -2, -3               Speak RESP2 (default) or RESP3.
  -c                   Follow the redirections of a cluster.

Authentication
  -a, --pass <password>  Password. Safer: the environment's VALKEYCLI_AUTH or REDISCLI_AUTH.
  --user <name>        ACL user that the password belongs to.
  --askpass            Ask for the password.
  --no-auth-warning    Do not warn of passwords on the command line.

TLS
  --tls                Use TLS.
  --sni <host>         Name of the server in the handshake.
  --cacert <file>      Certificate authorities to trust (default: the system's).
  --cacertdir <dir>    A folder of them.
  --cert <file>        Certificate of the client.
  --key <file>         Its private key.
  --tls-ciphers <list>, --tls-ciphersuites <list>
                       Ciphers to offer, up to TLS 1.2 and from TLS 1.3 on.
  --insecure           Do not verify the server's certificate.

Input
  -x                   Take the last argument from standard input.
  -X <tag>             Take the argument that equals the tag from standard input.
  --quoted-input       Arguments are quoted strings with escapes.
  -r <count>           Execute the command so many times (-1: for ever).
  -i <seconds>         Wait between repetitions; with --scan and --stat per cycle, with --bigkeys,
                       --memkeys and --hotkeys per 100 cycles.
  --eval <file>        Execute the Lua script of a file: --eval file key ... , arg ...

Output
  --raw, --no-raw      Bytes as they are (default if the output is no terminal), or formatted.
  -d <delimiter>       Between values in raw output (\\n).
  -D <delimiter>       After replies in raw output (\\n).
  --csv                Comma-separated values.
  --json               JSON; speaks RESP3 unless -2 is given.
  --quoted-json        The same in ASCII only.
  --show-pushes <yn>   Show RESP3's push messages (default on a terminal).
  -e                   End with an error code if the command fails.
  --verbose            Say more.

Instead of a command
  --pipe               Send standard input, which is RESP, and count the replies.
  --pipe-timeout <n>   Give up if no reply comes for n seconds (30; 0: never).
  --scan               List all keys.
  --bigkeys            Find the keys with most elements.
  --memkeys            Find the keys that take most memory.
  --memkeys-samples <n>  The same, looking at n elements of each key.
  --hotkeys            Find the keys in greatest demand (needs an LFU maxmemory-policy).
  --pattern <pattern>  Only these keys, for the five above.
  --quoted-pattern <pattern>  The same as a quoted string.
  --count <count>      COUNT of their SCAN commands (10).
  --stat               Memory, clients and requests, line by line.
  --latency            Time PING continuously; if the output is no terminal, for one second.
  --latency-history    A line every 15 seconds, or as often as -i says.
  --latency-dist       As a spectrum of colours, a line every second. --mono: shades of grey.
  --intrinsic-latency <seconds>  What the system alone costs; needs no server.
  --lru-test <keys>    A cache's workload: 80 % of the requests for 20 % of the keys.
  --replica            Pretend to be a replica and show what the primary sends.
  --rdb <file>         Fetch an RDB file from the server (-: to standard output).
  --functions-rdb <file>  The same with nothing but the functions.

  --help, --version

Examples
  cat picture.png | ${program} -x set picture
  ${program} -r 100 -i 1 info | grep used_memory_human:
  ${program} --quoted-input set '"null-\\x00-separated"' value
  ${program} --scan --pattern 'user:*' --count 1000
  ${program} --eval script.lua key1 key2 , arg1 arg2
`;
}
