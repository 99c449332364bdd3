/** A line at a terminal that says how much of a file has been read, and that is overwritten. */

const CELLS = 40;

export class ProgressBar {
  private shown = "";

  constructor(
    /** Bytes of the file; 0 = no bar. */
    private readonly totalBytes: number,
    private readonly write: (text: string) => void,
  ) {}

  show(offset: number): void {
    if (this.totalBytes === 0) return;
    const share = Math.min(offset / this.totalBytes, 1);
    const filled = Math.floor(share * CELLS);
    const text = `[${"#".repeat(filled).padEnd(CELLS)}] ${Math.floor(share * 100)} %`;
    if (text === this.shown) return;
    this.shown = text;
    this.write(`\r${text}`);
  }

  /** Takes the bar away, so that other lines can be written. */
  clear(): void {
    if (this.shown === "") return;
    this.write(`\r${" ".repeat(this.shown.length)}\r`);
    this.shown = "";
  }
}
