/**
 * The configuration of one engine: the value of every directive, CONFIG GET and SET, and typed
 * access for the rest of the server.
 *
 * CONFIG SET is atomic. All names are checked, then all values are parsed and stored, then the
 * appliers of what changed run in the order of the arguments. The first refusal, in either step,
 * restores all old values, and appliers that had already run run again to take them back.
 *
 * Hot code never reads the configuration: it copies values in an applier (`onApply`). The accessors
 * look a name up in a map; an unknown name or a wrong kind is a programming error and throws.
 *
 * No file is touched here. What a directive needs from outside comes from the injected host.
 */

import { beforeNul, matchesGlob, splitOnBlanks, toLowerAscii } from "./byte-string.ts";
import {
  CLIENT_CLASSES,
  type ClientClass,
  type ConfigValue,
  type Directive,
  Flag,
  hasFlag,
  type OutputBufferLimits,
  type Parsed,
  type ReplicationSource,
  type SavePoint,
} from "./directive.ts";
import { DIRECTIVE_NAMES, DIRECTIVES, type DirectiveName, findDirective } from "./directives.ts";
import { saturate } from "./numbers.ts";
import { defaultValue, formatValue, parseValue } from "./value.ts";

/** What directives need from outside. Paths and texts are byte strings. */
export interface ConfigHost {
  /** The absolute path of the data directory. */
  currentDirectory(): string;
  /** Changes it; returns the system's error text ("No such file or directory") or null. */
  changeDirectory(path: string): string | null;
  /** A warning for the log. */
  warn(text: string): void;
}

/**
 * Takes over the values of the directives it was registered for. A text refuses the change; the
 * applier must then have left everything as it was, and it is called again after the rollback.
 */
export type ConfigApplier = (config: Config) => string | null;

export interface ConfigSetOptions {
  /** Is the client on this machine? It decides `enable-protected-configs local`. */
  readonly isLocalClient: boolean;
  /** The reply for directives that cannot change while data are loading; null if they are not. */
  readonly loadingError: string | null;
}

/** What a file said about things that are not values. */
export interface ConfigDeclarations {
  /** Arguments of each `user` line, from the name on. */
  readonly users: (readonly string[])[];
  readonly renamedCommands: { readonly from: string; readonly to: string }[];
  readonly modules: { readonly path: string; readonly args: readonly string[] }[];
  /** `<module>.<name> <value>` lines. */
  readonly moduleValues: { readonly name: string; readonly value: string }[];
  /** A bare `sentinel` line: the user wants a Sentinel. */
  wantsSentinel: boolean;
}

interface Change {
  readonly known: DirectiveName;
  readonly text: string;
  readonly previous: ConfigValue;
}

interface Application {
  readonly name: string;
  readonly run: ConfigApplier;
}

export class Config {
  readonly host: ConfigHost;
  readonly declarations: ConfigDeclarations;
  private readonly values: Map<Directive, ConfigValue>;
  private readonly appliers: Map<Directive, ConfigApplier[]>;
  /** Has a file set save points? Then its further `save` lines add to them. */
  private hasSavePointsOfFile: boolean;

  constructor(host: ConfigHost) {
    this.host = host;
    this.declarations = {
      users: [],
      renamedCommands: [],
      modules: [],
      moduleValues: [],
      wantsSentinel: false,
    };
    this.values = new Map();
    this.appliers = new Map();
    this.hasSavePointsOfFile = false;
    for (const row of DIRECTIVES) this.values.set(row, defaultValue(row));
    this.values.set(rowOf("dir"), host.currentDirectory());
  }

  /** CONFIG GET: names and values in turn. Names without glob characters are echoed as typed. */
  get(patterns: readonly string[]): string[] {
    const found = new Map<string, { shown: string; row: Directive }>();
    for (const given of patterns) {
      const pattern = beforeNul(given);
      if (!/[[*?]/.test(pattern)) {
        const known = findDirective(given);
        const key = toLowerAscii(pattern);
        if (known !== undefined && !found.has(key)) {
          found.set(key, { shown: pattern, row: known.row });
        }
        continue;
      }
      for (const { name, row } of DIRECTIVE_NAMES.values()) {
        if (hasFlag(row, Flag.Hidden) || found.has(name)) continue;
        if (matchesGlob(pattern, name)) found.set(name, { shown: name, row });
      }
    }
    const reply: string[] = [];
    for (const { shown, row } of found.values()) reply.push(shown, this.format(row));
    return reply;
  }

  /** CONFIG SET with names and values in turn: null, or the error with its code. */
  set(pairs: readonly string[], options: ConfigSetOptions): string | null {
    if (pairs.length % 2 !== 0) return "ERR syntax error";
    const changes = this.checkNames(pairs, options);
    if (typeof changes === "string") return changes;
    const applications: Application[] = [];
    for (let i = 0; i < changes.length; i++) {
      const { known, text } = changes[i];
      const parsed = this.parse(known.row, argumentsOf(known.row, text), false);
      if (!parsed.ok) {
        this.restore(changes.slice(0, i + 1));
        return setFailure(known.name, parsed.error);
      }
      this.values.set(known.row, parsed.value);
      if (parsed.changed) this.addApplications(known, applications);
    }
    for (let i = 0; i < applications.length; i++) {
      const error = applications[i].run(this);
      if (error === null) continue;
      this.host.warn(
        "Failed applying new configuration. " +
          `Possibly related to new ${applications[i].name} setting. Restoring previous settings.`,
      );
      this.restore(changes);
      this.reapply(applications.slice(0, i + 1));
      return setFailure(applications[i].name, error);
    }
    return null;
  }

  /** Calls the function after CONFIG SET changed one of the directives; once per command. */
  onApply(names: readonly string[], apply: ConfigApplier): void {
    for (const name of names) {
      const row = rowOf(name);
      const known = this.appliers.get(row);
      if (known === undefined) this.appliers.set(row, [apply]);
      else known.push(apply);
    }
  }

  /**
   * Sets a value on behalf of the server (REPLICAOF, a reduced maxclients): no flag is checked and
   * no applier runs. Returns the error text or null.
   */
  assign(name: string, text: string): string | null {
    const row = rowOf(name);
    return this.assignArguments(row, argumentsOf(row, text), false);
  }

  /** The same with separate arguments, for the file loader. */
  assignArguments(row: Directive, args: readonly string[], isInFile: boolean): string | null {
    const addsSavePoints = isInFile && this.hasSavePointsOfFile;
    const parsed = this.parse(row, args, addsSavePoints);
    if (!parsed.ok) return parsed.error;
    if (isInFile && row.name === "save") this.hasSavePointsOfFile = true;
    this.values.set(row, parsed.value);
    return null;
  }

  bool(name: string): boolean {
    return this.expect(name, ["bool"]) as boolean;
  }

  /** A numeric value; beyond 2^53 it saturates, which no limit notices. */
  int(name: string): number {
    return saturate(this.bigint(name));
  }

  /** The exact numeric value; an amount of memory is unsigned. */
  bigint(name: string): bigint {
    const row = rowOf(name);
    if (!("min" in row)) throw new Error(`config: ${name} is not numeric`);
    const value = this.value(row) as bigint;
    return row.unit === "memory" ? BigInt.asUintN(64, value) : value;
  }

  /** The text that CONFIG GET shows, of any directive; empty if it is unset. */
  string(name: string): string {
    return this.format(rowOf(name));
  }

  /** The words of a multi-argument directive: bind, shutdown-on-sigterm and the like. */
  list(name: string): string[] {
    const row = rowOf(name);
    if (!hasFlag(row, Flag.MultiArg)) throw new Error(`config: ${name} has one argument`);
    return splitOnBlanks(this.format(row));
  }

  savePoints(): { seconds: number; changes: number }[] {
    const points = this.value(rowOf("save")) as readonly SavePoint[];
    return points.map(({ seconds, changes }) => ({ seconds: saturate(seconds), changes }));
  }

  /** Limits of each class of clients; 0 means no limit. */
  outputBufferLimits(): Record<
    ClientClass,
    { hardBytes: number; softBytes: number; softSeconds: number }
  > {
    const limits = this.value(rowOf("client-output-buffer-limit")) as OutputBufferLimits;
    const [normal, replica, pubsub] = CLIENT_CLASSES.map((clientClass) => {
      const { hardBytes, softBytes, softSeconds } = limits[clientClass];
      return { hardBytes: saturate(hardBytes), softBytes: saturate(softBytes), softSeconds };
    });
    return { normal, replica, pubsub };
  }

  /** Bits as in KEYSPACE_EVENT_BITS. */
  keyspaceEvents(): number {
    return this.value(rowOf("notify-keyspace-events")) as number;
  }

  latencyPercentiles(): readonly number[] {
    return this.value(rowOf("latency-tracking-info-percentiles")) as readonly number[];
  }

  replicationSource(): ReplicationSource | null {
    return this.value(rowOf("replicaof")) as ReplicationSource | null;
  }

  /** maxmemory-clients: bytes, or a percentage of maxmemory. */
  percentOrBytes(name: string): { percent: number } | { bytes: number } {
    const value = this.bigint(name);
    return value < 0n ? { percent: Number(-value) } : { bytes: saturate(value) };
  }

  /** Must the value stay out of the slow log, MONITOR and the like? */
  isSensitive(name: string): boolean {
    const known = findDirective(name);
    return known !== undefined && hasFlag(known.row, Flag.Sensitive);
  }

  /** The value of a row, for CONFIG REWRITE. */
  value(row: Directive): ConfigValue {
    const value = this.values.get(row);
    if (value === undefined) throw new Error(`config: ${row.name} is not in the tables`);
    return value;
  }

  private format(row: Directive): string {
    return formatValue(row, this.value(row));
  }

  private expect(name: string, kinds: readonly string[]): ConfigValue {
    const row = rowOf(name);
    if (!kinds.includes(row.kind)) throw new Error(`config: ${name} is of kind ${row.kind}`);
    return this.value(row);
  }

  private parse(row: Directive, args: readonly string[], addsSavePoints: boolean): Parsed {
    return parseValue(row, args, { config: this, previous: this.value(row), addsSavePoints });
  }

  /** The first name that cannot be set decides the error. */
  private checkNames(pairs: readonly string[], options: ConfigSetOptions): Change[] | string {
    const changes: Change[] = [];
    for (let i = 0; i < pairs.length; i += 2) {
      const name = beforeNul(pairs[i]);
      const known = findDirective(pairs[i]);
      if (known === undefined) {
        return `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`;
      }
      const { row } = known;
      if (hasFlag(row, Flag.Immutable)) return setFailure(name, "can't set immutable config");
      if (hasFlag(row, Flag.Protected) && !this.allowsProtected(options.isLocalClient)) {
        return setFailure(name, "can't set protected config");
      }
      if (options.loadingError !== null && hasFlag(row, Flag.DenyLoading)) {
        return options.loadingError;
      }
      // An alias beside its own name is no duplicate: the later one wins, as in the reference.
      if (changes.some((change) => change.known === known)) {
        return setFailure(name, "duplicate parameter");
      }
      changes.push({ known, text: pairs[i + 1], previous: this.value(row) });
    }
    return changes;
  }

  private allowsProtected(isLocalClient: boolean): boolean {
    const allowed = this.string("enable-protected-configs");
    return allowed === "yes" || (allowed === "local" && isLocalClient);
  }

  private addApplications(known: DirectiveName, applications: Application[]): void {
    const { applyError } = known.row;
    if (applyError !== undefined) applications.push({ name: known.name, run: () => applyError });
    for (const run of this.appliers.get(known.row) ?? []) {
      if (!applications.some((application) => application.run === run)) {
        applications.push({ name: known.name, run });
      }
    }
  }

  private restore(changes: readonly Change[]): void {
    for (const { known, previous } of changes) {
      if (known.row.name === "dir" && this.value(known.row) !== previous) {
        this.restoreDirectory(previous as string);
      }
      this.values.set(known.row, previous);
    }
  }

  private reapply(applications: readonly Application[]): void {
    for (const { run } of applications) {
      const error = run(this);
      if (error !== null) {
        this.host.warn(`Failed applying restored failed CONFIG SET command: ${error}`);
      }
    }
  }

  private restoreDirectory(path: string): void {
    const error = this.host.changeDirectory(path);
    if (error === null) return;
    this.host.warn(
      `Failed restoring failed CONFIG SET command. Error setting dir to '${path}': ${error}`,
    );
  }
}

function rowOf(name: string): Directive {
  const known = findDirective(name);
  if (known === undefined) throw new Error(`config: there is no directive ${name}`);
  return known.row;
}

function argumentsOf(row: Directive, text: string): string[] {
  return hasFlag(row, Flag.MultiArg) ? splitOnBlanks(text) : [text];
}

function setFailure(name: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
}
