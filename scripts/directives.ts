// Writes docs/configuration.md: the directives that are accepted without effect, from the table of
// directives, so that the list is never wrong.
//
//   bun scripts/directives.ts           prints the page
//   bun scripts/directives.ts --write   writes it

import { join } from "node:path";
import { describeDirectivesWithoutEffect } from "../src/runtime/config/directives.ts";

const PAGE = join(import.meta.dir, "..", "docs", "configuration.md");

if (import.meta.main) {
  if (process.argv[2] === "--write") await Bun.write(PAGE, configurationPage());
  else console.log(configurationPage());
}

/** The page docs/configuration.md. */
export function configurationPage(): string {
  return `# Configuration

Bunsen takes the directives of Valkey 8.1 and Redis 7, in the order file, standard input, environment
(\`BUNSEN_MAXMEMORY_POLICY=allkeys-lru\`), command line (\`--maxmemory-policy allkeys-lru\`); what comes
later wins. CONFIG GET answers all of them, CONFIG SET changes those that can change at run time, all
of one command or none, and CONFIG REWRITE keeps the file's comments and order.

## Accepted without effect

These are read, checked, answered by CONFIG GET and kept by CONFIG REWRITE, but nothing here obeys
them yet.

${describeDirectivesWithoutEffect().trim()}
`;
}
