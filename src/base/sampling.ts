/** What some of many alike say about all of them. */

/** The sum over `total` things, if that over `seen` of them is `sum`. */
export function extrapolate(sum: number, seen: number, total: number): number {
  return seen === 0 || seen === total ? sum : Math.round((sum / seen) * total);
}
