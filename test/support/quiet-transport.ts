/** A connection that takes everything, sends nothing and holds nothing: tests replace what they watch. */
import type { Transport } from "../../src/session/client.ts";

export const QUIET_TRANSPORT: Transport = {
  flush: () => {},
  send: () => {},
  close: () => {},
  resume: () => {},
  pendingBytes: () => 0,
  pendingBuffers: () => 0,
  queryBytes: () => 0,
  queryBytesFree: () => 0,
  memoryBytes: () => 0,
  replyBufferBytes: () => 0,
  replyBufferPeak: () => 0,
};
