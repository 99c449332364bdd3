/** DEBUG PROTOCOL: one reply of every type, for the tests of client libraries. */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";

const TYPES: Readonly<Record<string, (reply: ReplyWriter) => void>> = {
  string: (reply) => reply.bulkText("Hello World"),
  integer: (reply) => reply.integer(12345),
  double: (reply) => reply.double(3.141),
  bignum: (reply) => reply.bigNumber("1234567999999999999999999999999999999"),
  null: (reply) => reply.nil(),
  array: replyArray,
  set: replySet,
  map: replyMap,
  attrib: replyAttribute,
  push: replyPush,
  verbatim: (reply) => reply.verbatim("txt", "This is a verbatim\nstring"),
  true: (reply) => reply.boolean(true),
  false: (reply) => reply.boolean(false),
};

/** DEBUG PROTOCOL type */
export function debugProtocol(args: Args, reply: ReplyWriter): void {
  const name = args.text(2).toLowerCase();
  if (Object.hasOwn(TYPES, name)) {
    TYPES[name](reply);
    return;
  }
  reply.error(
    "ERR Wrong protocol type name. Please use one of the following: " +
      Object.keys(TYPES).join("|"),
  );
}

function replyArray(reply: ReplyWriter): void {
  reply.array(3);
  for (let i = 0; i < 3; i++) reply.integer(i);
}

function replySet(reply: ReplyWriter): void {
  reply.set(3);
  for (let i = 0; i < 3; i++) reply.integer(i);
}

function replyMap(reply: ReplyWriter): void {
  reply.map(3);
  for (let i = 0; i < 3; i++) {
    reply.integer(i);
    reply.boolean(i === 1);
  }
}

/** Attributes exist in RESP3 only, and belong to the reply that follows them. */
function replyAttribute(reply: ReplyWriter): void {
  if (reply.resp3) {
    reply.attribute(1);
    reply.bulkText("key-popularity");
    reply.array(2);
    reply.bulkText("key:123");
    reply.integer(90);
  }
  reply.bulkText("Some real reply following the attribute");
}

/** A push message is no reply, so there is one too; and messages wait until a reply is complete. */
function replyPush(reply: ReplyWriter): void {
  if (!reply.resp3) {
    reply.error("ERR RESP2 is not supported by this command");
    return;
  }
  reply.bulkText("Some real reply following the push reply");
  reply.push(2);
  reply.bulkText("server-cpu-usage");
  reply.integer(42);
}
