// HOT PATH: rules in src/README.md
/**
 * What commands propagate as: the hand that writes into the log of changes while they run.
 *
 * A command that changed something propagates as the client sent it, unless its handler says
 * otherwise: what depends on chance, on the clock or on who waits is written as what it did, so
 * that whoever runs the log ends with the same data. Keys that vanish by themselves propagate as a
 * deletion.
 *
 *     ctx.effects.begin(3).text("SREM").argument(args, 1).bytes(view, start, end);
 *
 * While nobody listens, `isOn` is false, and handlers skip all of this.
 */
import type { Args } from "../protocol/args.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import type { PropagationLog } from "./propagation-log.ts";

export class Effects {
  /** Whether anybody wants to hear of changes. */
  isOn = false;
  /** Deletions of keys that vanish by themselves are UNLINK: lazyfree-lazy-expire, -eviction. */
  unlinksExpired = true;
  unlinksEvicted = true;
  /** So are those of what a command overwrites or empties: lazyfree-lazy-server-del. */
  unlinksReplaced = true;

  /** The database that the command at hand works on. */
  private database = 0;
  /** The handler has said what its command propagates as. */
  private isExplicit = false;
  /** What the data's change counter was when the command began. */
  private dirtyBefore = 0;

  constructor(private readonly log: PropagationLog) {}

  /**
   * A command begins, maybe within another (EXEC). `dirty` counts the changes of all data so far.
   * Requires: `isOn`.
   */
  enter(database: number, dirty: number): void {
    this.database = database;
    this.isExplicit = false;
    this.dirtyBefore = dirty;
    this.log.beginUnit();
  }

  /** The command is over. `writes`: if it changed data, its request says how. */
  leave(args: Args, writes: boolean, dirty: number): void {
    const changed = dirty !== this.dirtyBefore;
    if (writes && changed && !this.isExplicit) this.log.request(this.database, args);
    // The enclosing command, if any, has propagated by this one.
    this.isExplicit = true;
    this.log.endUnit();
  }

  /** The command at hand propagates as another one, of `count` arguments; maybe as several. */
  begin(count: number): this {
    this.isExplicit = true;
    this.log.command(this.database, count);
    return this;
  }

  /** As `begin`, for a database that the request did not choose (the cron, COPY, MOVE). */
  beginIn(database: number, count: number): this {
    this.isExplicit = true;
    this.log.command(database, count);
    return this;
  }

  text(ascii: string): this {
    this.log.argumentText(ascii);
    return this;
  }

  argument(args: Args, index: number): this {
    this.log.argument(args.view, args.start[index], args.end[index]);
    return this;
  }

  /** Arguments `from` up to, not including, `to`. */
  arguments(args: Args, from: number, to: number): this {
    for (let i = from; i < to; i++) this.log.argument(args.view, args.start[i], args.end[i]);
    return this;
  }

  bytes(view: DataView, start: number, end: number): this {
    this.log.argument(view, start, end);
    return this;
  }

  /** A safe integer. */
  integer(value: number): this {
    this.log.argumentInteger(value);
    return this;
  }

  bigint(value: bigint): this {
    this.log.argumentBigInt(value);
    return this;
  }

  /** A moment in unix ms. */
  moment(atMs: number | bigint): this {
    if (typeof atMs === "bigint") this.log.argumentBigInt(atMs);
    else this.log.argumentInteger(atMs);
    return this;
  }

  /** The element of a list, a set, a hash or a sorted set. */
  entry(entry: ListpackEntry): this {
    this.log.argumentEntry(entry);
    return this;
  }

  /** The key at argument `index` propagates as deleted. */
  deletes(args: Args, index: number, unlinks: boolean): void {
    this.begin(2)
      .text(unlinks ? "UNLINK" : "DEL")
      .argument(args, index);
  }

  /** The key at argument `index` propagates as deleted, since the command said it has expired. */
  expires(args: Args, index: number): void {
    this.deletes(args, index, this.unlinksExpired);
  }

  /** The key at argument `index` propagates as one that expires then. */
  expiresAt(args: Args, index: number, atMs: number | bigint): void {
    this.begin(3).text("PEXPIREAT").argument(args, index).moment(atMs);
  }

  /** The request propagates under another name: `name`, and the arguments [1, to). */
  renames(name: string, args: Args, to: number): void {
    this.begin(to).text(name).arguments(args, 1, to);
  }

  /** Up to `count` elements taken from the key at argument `index` propagate as `name`. */
  takes(name: string, args: Args, index: number, count: number): void {
    this.begin(3).text(name).argument(args, index).integer(count);
  }

  /** The request as it came propagates, here among the commands begun, even if it changed nothing. */
  verbatim(args: Args): void {
    this.isExplicit = true;
    this.log.request(this.database, args);
  }

  /** The command at hand propagates as nothing, whatever it changed. */
  none(): void {
    this.isExplicit = true;
  }

  /** A field of the hash of a key is gone without a command for it: it expired. */
  fieldVanished(
    database: number,
    view: DataView,
    start: number,
    end: number,
    fieldView: DataView,
    fieldStart: number,
    fieldEnd: number,
  ): void {
    this.log.beginUnit();
    this.log.command(database, 3);
    this.log.argumentText("HDEL");
    this.log.argument(view, start, end);
    this.log.argument(fieldView, fieldStart, fieldEnd);
    this.log.endUnit();
  }

  /** A key is gone without a command for it: it expired, or was evicted. */
  vanished(database: number, view: DataView, start: number, end: number, evicted: boolean): void {
    const unlinks = evicted ? this.unlinksEvicted : this.unlinksExpired;
    this.log.beginUnit();
    this.log.command(database, 2);
    this.log.argumentText(unlinks ? "UNLINK" : "DEL");
    this.log.argument(view, start, end);
    this.log.endUnit();
  }
}
