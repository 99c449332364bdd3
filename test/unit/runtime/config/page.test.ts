import { expect, test } from "bun:test";
import { join } from "node:path";
import { configurationPage } from "../../../../scripts/directives.ts";

test("docs/configuration.md lists the directives without effect (bun scripts/directives.ts --write)", async () => {
  const page = Bun.file(join(import.meta.dir, "../../../../docs/configuration.md"));
  expect(await page.text()).toBe(configurationPage());
});
