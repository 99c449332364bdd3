/**
 * The files of an append-only file on the disk: a directory with the manifest and what it names.
 *
 *     appendonlydir/appendonly.aof.manifest
 *     appendonlydir/appendonly.aof.1.base.rdb
 *     appendonlydir/appendonly.aof.1.incr.aof
 *
 * The manifest is replaced atomically (temporary file, fsync, rename, fsync of the directory), so
 * that at any moment it names files which are complete up to what was synchronised. Whatever fails
 * is logged in Redis's words. Names are byte strings, as in the configuration.
 */
import { bytesFromAscii } from "../base/ascii.ts";
import { FileError, type FileSystem, writeAll } from "../base/file-system.ts";
import { AofManifest, parseManifest } from "./aof-manifest.ts";

/** Where messages go. */
export interface AofLog {
  debug(message: string): void;
  notice(message: string): void;
  warning(message: string): void;
}

export interface AofNames {
  /** appenddirname. */
  readonly directory: string;
  /** appendfilename. */
  readonly file: string;
  /** The path of a name: byte string to text. */
  readonly toPath: (name: string) => string;
}

/** The size of a file, or why there is none. */
export type AofSize = { readonly bytes: number } | { readonly isMissing: boolean };

export class AofDirectory {
  constructor(
    readonly files: FileSystem,
    readonly names: AofNames,
    private readonly log: AofLog,
  ) {}

  get manifestName(): string {
    return `${this.names.file}.manifest`;
  }

  /** The increment that collects changes until the first rewrite is done. */
  get temporaryIncrementName(): string {
    return `temp-${this.names.file}.incr`;
  }

  /** Path of a file in the directory. */
  path(name: string): string {
    return this.names.toPath(`${this.names.directory}/${name}`);
  }

  exists(name: string): boolean {
    return this.files.exists(this.path(name));
  }

  /** Makes the directory if it is missing. False, after a log line, when it cannot be made. */
  make(): boolean {
    const path = this.names.toPath(this.names.directory);
    try {
      if (!this.files.isDirectory(path)) this.files.makeDirectory(path);
      return true;
    } catch (error) {
      this.log.warning(
        `Can't open or create append-only dir ${this.names.directory}: ${textOf(error)}`,
      );
      return false;
    }
  }

  /** The manifest on the disk; an empty one where there is none. Throws a ManifestError. */
  loadManifest(): AofManifest {
    const { files, names, log, manifestName } = this;
    if (!files.isDirectory(names.toPath(names.directory))) {
      log.debug(`The AOF directory ${names.directory} doesn't exist`);
      return new AofManifest();
    }
    const path = this.path(manifestName);
    if (!files.exists(path)) {
      log.debug(`The AOF manifest file ${manifestName} doesn't exist`);
      return new AofManifest();
    }
    return parseManifest(readWhole(files, path));
  }

  /** Writes the manifest if it has changed. False, after a log line, when that fails. */
  saveManifest(manifest: AofManifest): boolean {
    if (!manifest.isDirty) return true;
    const { files, log, manifestName } = this;
    const temporaryName = `temp-${manifestName}`;
    const temporaryPath = this.path(temporaryName);
    let failing = `Can't open the AOF manifest file ${temporaryName}: `;
    let file = -1;
    try {
      file = files.open(temporaryPath, "write");
      failing = `Error trying to write the temporary AOF manifest file ${temporaryName}: `;
      const bytes = bytesFromAscii(manifest.format());
      writeAll(files, file, bytes, 0, bytes.length);
      failing = `Fail to fsync the temp AOF file ${temporaryName}: `;
      files.sync(file);
      failing = `Error trying to rename the temporary AOF manifest file ${temporaryName} into ${manifestName}: `;
      files.rename(temporaryPath, this.path(manifestName));
      files.syncDirectory(this.names.toPath(this.names.directory));
    } catch (error) {
      log.warning(failing + textOf(error));
      return false;
    } finally {
      if (file >= 0) files.close(file);
    }
    manifest.isDirty = false;
    return true;
  }

  /** The size of a file; a log line if it cannot be told. */
  sizeOf(name: string): AofSize {
    try {
      return { bytes: this.files.sizeOf(this.path(name)) };
    } catch (error) {
      this.log.warning(`Unable to obtain the AOF file ${name} length. stat: ${textOf(error)}`);
      return { isMissing: error instanceof FileError && error.code === "ENOENT" };
    }
  }

  /**
   * Whether the single file of older versions is there and is to be taken over: there is no
   * manifest, or one that an interrupted takeover left.
   */
  needsUpgrade(manifest: AofManifest): boolean {
    const { files, names } = this;
    if (!files.exists(names.toPath(names.file))) return false;
    if (manifest.isEmpty || !files.isDirectory(names.toPath(names.directory))) return true;
    const { base, increments } = manifest;
    return base !== null && increments.length === 0 && base.name === names.file
      ? !this.exists(names.file)
      : false;
  }

  /**
   * Takes the single file of older versions over as the base. A crash in between is made good by
   * the next start. False, after a log line, when a step fails.
   */
  upgrade(manifest: AofManifest): boolean {
    const { files, names, log } = this;
    if (!this.make()) return false;
    manifest.add({ name: names.file, sequence: 1n, type: "b" });
    manifest.isDirty = true;
    if (!this.saveManifest(manifest)) return false;
    try {
      files.rename(names.toPath(names.file), this.path(names.file));
    } catch (error) {
      log.warning(
        `Error trying to move the old AOF file ${names.file} into dir ${names.directory}: ${textOf(error)}`,
      );
      return false;
    }
    log.notice(
      `Successfully migrated an old-style AOF file (${names.file}) into the AOF directory (${names.directory}).`,
    );
    return true;
  }
}

/** All bytes of a small file. */
export function readWhole(files: FileSystem, path: string): Uint8Array {
  const file = files.open(path, "read");
  try {
    const bytes = new Uint8Array(files.size(file));
    let length = 0;
    while (length < bytes.length) {
      const count = files.read(file, bytes, length, bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    files.close(file);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
