// Sends many commands to a server as fast as it takes them, to have data to measure with.

/** Commands at a time: the next ones are made when these are answered. */
const BATCH = 2000;
const END = "filled";

/**
 * Sends the commands that `make` answers for 0, 1, ... count - 1. An error reply ends it.
 * The commands are words; the replies are read and dropped.
 */
export async function fill(
  port: number,
  count: number,
  make: (index: number) => readonly string[],
): Promise<void> {
  let batchDone = Promise.withResolvers<void>();
  let pending: Buffer = Buffer.alloc(0);
  let tail = "";
  const send = (): void => {
    while (pending.length > 0) {
      const written = socket.write(pending);
      if (written <= 0) return;
      pending = pending.subarray(written);
    }
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, bytes) {
        const text = tail + bytes.toString("latin1");
        const error = /(?:^|\n)-([^\r]*)/.exec(text)?.[1];
        if (error !== undefined) batchDone.reject(new Error(error));
        else if (text.endsWith(`$${END.length}\r\n${END}\r\n`)) batchDone.resolve();
        tail = text.slice(-64);
      },
      drain: send,
      close: () => batchDone.reject(new Error("the server closed the connection")),
      error: (_, error) => batchDone.reject(error),
    },
  });
  try {
    for (let from = 0; from < count; from += BATCH) {
      let text = "";
      const to = Math.min(count, from + BATCH);
      for (let i = from; i < to; i++) text += encode(make(i));
      pending = Buffer.from(text + encode(["ECHO", END]), "latin1");
      tail = "";
      send();
      await batchDone.promise;
      batchDone = Promise.withResolvers<void>();
    }
  } finally {
    // Whatever becomes of the connection now is nobody's concern.
    batchDone.promise.catch(() => {});
    socket.end();
  }
}

function encode(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${word.length}\r\n${word}\r\n`;
  return text;
}
