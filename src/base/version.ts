/** The version of this build; what build.ts did not define says that it runs from source. */

export const BUNSEN: { version: string; gitSha: string; gitDirty: boolean } = {
  version: typeof BUNSEN_VERSION === "undefined" ? "0.1.0" : BUNSEN_VERSION,
  gitSha: typeof BUNSEN_GIT_SHA === "undefined" ? "00000000" : BUNSEN_GIT_SHA,
  gitDirty: typeof BUNSEN_GIT_DIRTY === "undefined" ? false : BUNSEN_GIT_DIRTY,
};

/** The Redis version whose commands and replies clients may expect, as INFO and HELLO report it. */
export const REDIS_VERSION = "7.2.4";

/** The Valkey version whose behaviour is reproduced. */
export const VALKEY_VERSION = "8.1.1";
