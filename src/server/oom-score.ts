/**
 * oom-score-adj: tells Linux how readily to end this process when the machine runs out of memory.
 *
 * "relative" (or "yes") adds to the score that the process had before the directive was turned on,
 * "absolute" replaces it; turning it off restores it. The first of oom-score-adj-values is for a
 * primary; the one for a background child has no effect, as there is no child. Privileges are
 * needed to lower a score.
 */
import { FileError, type FileSystem } from "../base/file-system.ts";

const SCORE_FILE = "/proc/self/oom_score_adj";
const SCORE_MIN = -1000;
const SCORE_MAX = 1000;
/** Longer than any score. */
const SCORE_BYTES = 16;

export class OomScore {
  /** The score from before; null while the directive is off. */
  private base: number | null = null;

  constructor(
    private readonly files: FileSystem,
    private readonly warn: (text: string) => void,
  ) {}

  /** Applies the directives, after which false means a failure that was logged. */
  apply(mode: string, score: number): boolean {
    if (mode === "no") {
      if (this.base === null) return true;
      const before = this.base;
      this.base = null;
      return this.write(before);
    }
    this.base ??= this.read();
    if (this.base === null) return false;
    return this.write(mode === "absolute" ? score : this.base + score);
  }

  private read(): number | null {
    try {
      const file = this.files.open(SCORE_FILE, "read");
      try {
        const bytes = new Uint8Array(SCORE_BYTES);
        const length = this.files.read(file, bytes, 0, SCORE_BYTES, null);
        return Number.parseInt(Buffer.from(bytes.subarray(0, length)).toString("latin1"), 10);
      } finally {
        this.files.close(file);
      }
    } catch (error) {
      this.complain("read", error);
      return null;
    }
  }

  private write(score: number): boolean {
    const bytes = Buffer.from(`${Math.min(Math.max(score, SCORE_MIN), SCORE_MAX)}\n`);
    try {
      const file = this.files.open(SCORE_FILE, "update");
      try {
        this.files.write(file, bytes, 0, bytes.length);
      } finally {
        this.files.close(file);
      }
      return true;
    } catch (error) {
      this.complain("write", error);
      return false;
    }
  }

  private complain(action: "read" | "write", error: unknown): void {
    if (!(error instanceof FileError)) throw error;
    this.warn(`Unable to ${action} oom_score_adj: ${error.message}`);
  }
}
