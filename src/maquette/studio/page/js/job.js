/** The page's side of the worker: each call is a promise, and only the latest of a kind that waits is done. */

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const waiting = new Map();
let number = 0;

worker.onmessage = ({ data: { id, done, failed, detail, share } }) => {
  const call = waiting.get(id);
  if (!call) return;
  if (share !== undefined) {
    call.progress?.(share);
    return;
  }
  waiting.delete(id);
  if (failed) call.reject(Object.assign(new Error(detail ?? failed), { key: failed }));
  else call.resolve(done);
};
worker.onerror = (event) => {
  for (const call of waiting.values()) call.reject(Object.assign(new Error(event.message), { key: "broken" }));
  waiting.clear();
};

/**
 * Has the worker do something.
 * @param {"load" | "look" | "mesh" | "file"} what
 * @param {object} given
 * @param {(share: number) => void} [progress] from 0 to 1
 * @param {Transferable[]} [moved]
 * @returns {Promise<any>} rejected with an error whose `key` is one of the words
 */
export function job(what, given, progress, moved = []) {
  return new Promise((resolve, reject) => {
    waiting.set(++number, { resolve, reject, progress });
    worker.postMessage({ id: number, what, ...given }, moved);
  });
}

/**
 * A function that runs another at most once at a time; of the calls meanwhile only the last is done afterwards.
 * @param {(given: any) => Promise<void>} run
 */
export function latest(run) {
  let [busy, next] = [false, null];
  const go = async (given) => {
    if (busy) {
      next = [given];
      return;
    }
    busy = true;
    try {
      await run(given);
    } finally {
      busy = false;
      if (next) {
        const [again] = next;
        next = null;
        go(again);
      }
    }
  };
  return go;
}
