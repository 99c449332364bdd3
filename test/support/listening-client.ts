/** A client without a socket: what it is sent is kept. */
import { Client } from "../../src/session/client.ts";
import type { ReplyWriter } from "../../src/protocol/reply-writer.ts";
import { QUIET_TRANSPORT } from "./quiet-transport.ts";

export interface ListeningClient {
  readonly client: Client;
  /** What it was sent, one entry per write, one character per byte. */
  readonly writes: string[];
}

export function listeningClient(id: number, resp: 2 | 3): ListeningClient {
  const writes: string[] = [];
  const note = (bytes: Uint8Array, from: number, to: number): void => {
    writes.push(Buffer.from(bytes.subarray(from, to)).toString("latin1"));
  };
  const client = new Client(
    id,
    "",
    "",
    0,
    false,
    {
      ...QUIET_TRANSPORT,
      flush: (reply: ReplyWriter) => {
        note(reply.bytes, 0, reply.length);
        reply.clear();
      },
      send: note,
    },
    0,
  );
  client.resp = resp;
  return { client, writes };
}
