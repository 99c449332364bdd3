import type { Socket } from "bun";

/** A connection that sends and never reads. */
export function connectUnread(port: number, bytes: Uint8Array): Promise<Socket> {
  let unsent = bytes;
  const sendOn = (socket: Socket) => {
    const written = socket.write(unsent);
    if (written > 0) unsent = unsent.subarray(written);
  };
  return Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        socket.pause();
        sendOn(socket);
      },
      drain: sendOn,
      data() {},
    },
  });
}
