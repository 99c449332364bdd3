/**
 * Whether a listpack from outside is a node of a stream (structures/stream-node-listpack.ts): that
 * every count agrees with what is there, and that the IDs ascend. O(bytes of the node).
 */
import { ListpackEntry } from "../structures/listpack-entry.ts";
import { Listpack, listpackIsEnd, listpackNext, listpackValidate } from "../structures/listpack.ts";
import { StreamId } from "../structures/stream-id.ts";
import { EntryFlag, readEntryId } from "../structures/stream-node-listpack.ts";
import { entryPieces } from "../structures/stream-node.ts";

export class StreamNodeChecker {
  /** Of the node that was checked last: its entries that are not deleted. */
  live = 0;

  private readonly piece = new ListpackEntry();
  private readonly id = new StreamId();
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the next piece is; -1 after a piece that should have been there and was not. */
  private at = 0;

  /**
   * Whether [start, end) of `view` is the node of `masterId`, with IDs above `lastId`, which then
   * becomes its last one.
   */
  check(view: DataView, start: number, end: number, masterId: StreamId, lastId: StreamId): boolean {
    if (listpackValidate(view, start, end) <= 0) return false;
    this.view = view;
    this.at = start + Listpack.HEADER;
    const live = this.integer();
    const deleted = this.integer();
    const fields = this.integer();
    this.skip(fields);
    if (this.integer() !== 0) return false;
    this.live = 0;
    let entries = 0;
    for (; this.at !== -1 && !listpackIsEnd(view, this.at); entries++) {
      if (!this.entry(fields, masterId, lastId)) return false;
    }
    return this.at !== -1 && this.live === live && entries - live === deleted && live >= 1;
  }

  /** Passes an entry of a stream; false if it is none, or its ID is not above `lastId`. */
  private entry(masterFields: number, masterId: StreamId, lastId: StreamId): boolean {
    const flags = this.integer();
    const msAt = this.at;
    this.int64();
    this.int64();
    if (!(flags >= 0 && flags <= (EntryFlag.DELETED | EntryFlag.SAME_FIELDS))) return false;
    if (this.at === -1) return false;
    const { id } = this;
    readEntryId(this.view, msAt, masterId, this.piece, id);
    if (id.compare(lastId) <= 0 || id.compare(masterId) < 0) return false;
    lastId.copy(id);
    const isSame = (flags & EntryFlag.SAME_FIELDS) !== 0;
    const fields = isSame ? masterFields : this.integer();
    this.skip(isSame ? fields : fields * 2);
    if (this.integer() !== entryPieces(fields, isSame)) return false;
    if ((flags & EntryFlag.DELETED) === 0) this.live++;
    return this.at !== -1;
  }

  /** Passes an integer that is a safe one, and returns it; -1 in place of anything else. */
  private integer(): number {
    this.int64();
    if (this.at !== -1 && this.piece.value >= 0) return this.piece.value;
    this.at = -1;
    return -1;
  }

  private int64(): void {
    if (this.at === -1 || listpackIsEnd(this.view, this.at)) {
      this.at = -1;
      return;
    }
    this.piece.read(this.view, this.at);
    this.at = this.piece.isInteger ? listpackNext(this.view, this.at) : -1;
  }

  private skip(count: number): void {
    for (let rest = count; rest > 0 && this.at !== -1; rest--) {
      this.at = listpackIsEnd(this.view, this.at) ? -1 : listpackNext(this.view, this.at);
    }
  }
}
