// Names that exist only at build time: bunfig.toml and build.ts replace them with constants.

/** True under `bun run` and `bun test`, false in the built executable, where guarded code vanishes. */
declare const DEBUG: boolean;

/** Set by build.ts only: under `bun run` test it with `typeof NAME === "undefined"` first. */
declare const BUNSEN_VERSION: string;
declare const BUNSEN_GIT_SHA: string;
declare const BUNSEN_GIT_DIRTY: boolean;
declare const BUNSEN_BUILD_DATE: string;
