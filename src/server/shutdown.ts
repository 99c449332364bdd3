/**
 * How the server ends: SHUTDOWN, SIGTERM and SIGINT.
 *
 *     signal     asks; the cron begins, unless SHUTDOWN ABORT came first
 *     begin      append-only file flushed → RDB file saved, if save points or SAVE say so → the end
 *     failure    the server goes on, unless FORCE is given
 *
 * SHUTDOWN saves while everything waits. A signal does not: clients are held back, and the file is
 * written in slices, so that a second SIGINT is heard and ends the process at once.
 */
import type { ShutdownOptions } from "../commands/server-control.ts";
import type { Server } from "./server.ts";

const FAILED = "ERR Errors trying to SHUTDOWN. Check logs.";

type SignalName = "SIGTERM" | "SIGINT";

export class Shutdown {
  /** A signal that the cron has yet to act on. */
  private asked: SignalName | null = null;
  /** A signal's save is being written. */
  private isSaving = false;
  private isOver = false;

  constructor(private readonly server: Server) {}

  onSignal(name: SignalName): void {
    const { log, host, saving, loading } = this.server;
    const isAsked = this.asked !== null || this.isSaving;
    if (isAsked && name === "SIGINT") {
      log.warning("You insist... exiting now.");
      if (this.isSaving) this.server.snapshots.cancel(true);
      host.removeFile(saving.temporaryName);
      host.exit(1);
      return;
    }
    log.warning(
      loading.isOn
        ? "Received shutdown signal during loading, scheduling shutdown."
        : `Received ${name} scheduling shutdown...`,
    );
    this.asked = name;
    if (loading.isOn) this.tick();
  }

  /** Does what a signal asked for. Called by the cron. */
  tick(): void {
    const { asked } = this;
    if (asked === null || this.isSaving || this.isOver) return;
    const { config, log } = this.server;
    const words = config.list(asked === "SIGINT" ? "shutdown-on-sigint" : "shutdown-on-sigterm");
    const save = words.includes("save") ? true : words.includes("nosave") ? false : null;
    const force = words.includes("force");
    log.notice("User requested shutdown...");
    this.asked = null;
    if (!this.prepare(force)) this.fail();
    else if (this.wantsSave(save)) this.saveInSlices(force);
    else this.finish();
  }

  /** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE]. An error, or null: then the server has ended. */
  begin(options: ShutdownOptions, client: string): string | null {
    if (this.isOver || this.isSaving) return null;
    const { log, saving } = this.server;
    log.notice(`User requested shutdown... (user request from '${client}')`);
    if (!this.prepare(options.force)) return this.fail();
    if (this.wantsSave(options.save)) {
      log.notice("Saving the final RDB snapshot before exiting.");
      if (!saving.saveNow() && !this.mayGoOn(options.force)) return this.fail();
    }
    this.finish();
    return null;
  }

  /** SHUTDOWN ABORT: whether there was something to abort. */
  abort(): boolean {
    if (this.asked === null) return false;
    this.asked = null;
    this.server.log.notice("Shutdown manually aborted.");
    return true;
  }

  private wantsSave(save: boolean | null): boolean {
    const { loading, saving } = this.server;
    // Half of a file must not replace all of it.
    if (loading.isOn) return false;
    return save ?? saving.savesAtEnd;
  }

  /** Ends what runs in the background. False if the server must not end yet. */
  private prepare(force: boolean): boolean {
    const { saving, appendOnly } = this.server;
    saving.abortAtEnd();
    return appendOnly.appendOnly.shutDown(force);
  }

  private saveInSlices(force: boolean): void {
    const { server } = this;
    const { log, saving } = server;
    log.notice("Saving the final RDB snapshot before exiting.");
    this.isSaving = true;
    server.pauseClients(Infinity, false);
    saving.saveAtEnd((succeeded) => {
      this.isSaving = false;
      if (succeeded || this.mayGoOn(force)) {
        this.finish();
        return;
      }
      server.unpauseClients();
      this.fail();
    });
  }

  private mayGoOn(force: boolean): boolean {
    this.server.log.warning(
      force
        ? "Error trying to save the DB. Exit anyway."
        : "Error trying to save the DB, can't exit.",
    );
    return force;
  }

  private fail(): string {
    this.asked = null;
    this.server.log.warning(
      "Errors trying to shut down the server. Check the logs for more information.",
    );
    return FAILED;
  }

  private finish(): void {
    this.isOver = true;
    this.server.end();
  }
}
