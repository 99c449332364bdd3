/**
 * The threads of the option --threads. The main thread only reports; workers live as long as the
 * program, and take the shares of one run after the other.
 */
import type { Job, WorkerAnswer, WorkerOrder } from "./job.ts";
import { LoadFailure } from "./load.ts";

/**
 * The bundler leaves the address of a worker alone, and in the executable this file lies at the top
 * of src, whatever its folder was.
 */
const WORKER = import.meta.dir.endsWith("benchmark")
  ? "./worker.ts"
  : "./tools/benchmark/worker.ts";

class Thread {
  private readonly worker = new Worker(new URL(WORKER, import.meta.url));
  private answer: PromiseWithResolvers<void> | null = null;

  constructor() {
    this.worker.onmessage = (event: MessageEvent<WorkerAnswer>) => {
      const { failure } = event.data;
      if (failure === null) this.answer?.resolve();
      else this.answer?.reject(new LoadFailure(failure));
    };
    this.worker.onerror = (event) => this.answer?.reject(new LoadFailure(event.message));
  }

  order(order: WorkerOrder): Promise<void> {
    this.answer = Promise.withResolvers<void>();
    this.worker.postMessage(order);
    return this.answer.promise;
  }

  stop(): void {
    this.worker.terminate();
  }
}

export class Threads {
  private readonly threads: Thread[];

  constructor(count: number) {
    this.threads = Array.from({ length: count }, () => new Thread());
  }

  /** Requires: one job for each thread. Throws LoadFailure. */
  async connect(jobs: readonly Job[]): Promise<void> {
    await Promise.all(
      this.threads.map((thread, index) => thread.order({ step: "connect", job: jobs[index] })),
    );
  }

  /** Throws LoadFailure, at once when one thread fails. */
  async run(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.order({ step: "run" })));
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.order({ step: "close" })));
  }

  stop(): void {
    for (const thread of this.threads) thread.stop();
  }
}
