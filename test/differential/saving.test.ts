/** Saving, as the reference server answers: replies, errors, and the figures of INFO. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { textOf } from "../support/reply.ts";

describeWithPeers("saving", ["valkey-server"], () => {
  const suite = useDifferential();
  const field = (name: string) => ({
    title: name,
    pattern: new RegExp(`^${name}:(.*)\r$`, "m"),
  });

  suite.test("SAVE, and what it resets", (c) => {
    const { title, pattern } = field("rdb_changes_since_last_save");
    const probe = (when: string) =>
      c.probe(`${title} ${when}`, async (client) => {
        return pattern.exec(textOf(await client.must("INFO", "persistence")))?.[1] ?? "";
      });
    c.do("SAVE");
    probe("after SAVE");
    c.do("MSET", "a", "1", "b", "2");
    c.do("DEL", "a", "none");
    probe("after changes");
    c.do("SAVE");
    probe("after SAVE again");
    c.sameShape("LASTSAVE");
    c.fail("SAVE", "x");
    c.do("MULTI");
    c.fail("SAVE");
    c.do("DISCARD");
  });

  suite.test("BGSAVE", (c) => {
    const succeeds = () =>
      c.probe("it succeeds", async (client) => {
        const { pattern } = field("rdb_bgsave_in_progress");
        let info = "";
        do info = textOf(await client.must("INFO", "persistence"));
        while (pattern.exec(info)?.[1] !== "0");
        const { pattern: status } = field("rdb_last_bgsave_status");
        const { pattern: changes } = field("rdb_changes_since_last_save");
        return `${status.exec(info)?.[1]} ${changes.exec(info)?.[1]}`;
      });
    c.do("SET", "key", "value");
    c.do("BGSAVE");
    succeeds();
    c.do("BGSAVE", "SCHEDULE");
    succeeds();
    c.fail("BGSAVE", "x");
    c.fail("BGSAVE", "SCHEDULE", "x");
  });

  suite.test("DEBUG RELOAD", (c) => {
    c.do("SET", "key", "value");
    c.do("HSET", "hash", "a", "1", "b", "2");
    c.do("RPUSH", "list", "a", "1", "b", "-70000");
    c.do("DEBUG", "RELOAD");
    c.do("DEBUG", "DIGEST");
    c.do("SET", "key", "other");
    c.do("SET", "late", "value");
    c.do("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE");
    c.do("GET", "key");
    c.do("GET", "late");
    c.do("DEBUG", "RELOAD", "NOSAVE");
    c.do("EXISTS", "late");
    c.fail("DEBUG", "RELOAD", "x");
    c.do("DEBUG", "RELOAD", "nosave", "NoFlush", "merge");
  });
});
