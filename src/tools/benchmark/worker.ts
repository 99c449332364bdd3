/** A thread of the benchmark: makes its share of the load when the main thread says so. */
import { systemClock } from "../../base/clock.ts";
import { createLoad, type WorkerAnswer, type WorkerOrder } from "./job.ts";
import type { Load } from "./load.ts";

declare const self: Worker;

let load: Load | null = null;

self.onmessage = async (event: MessageEvent<WorkerOrder>) => {
  let failure: string | null = null;
  try {
    await obey(event.data);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const answer: WorkerAnswer = { failure };
  self.postMessage(answer);
};

async function obey(order: WorkerOrder): Promise<void> {
  switch (order.step) {
    case "connect":
      load = createLoad(order.job, systemClock());
      return load.connect();
    case "run":
      return load?.run();
    case "close":
      return load?.close();
  }
}
