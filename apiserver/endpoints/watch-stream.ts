import type { ServerResponse } from '../http/respond.ts';

/** A watcher that lets this much pile up is cut off; it lists again. */
const BACKLOG_LIMIT_BYTES = 32 * 1024 * 1024;
const NOTICE_MS = 2000;
/** A longer timer would be over at once (Node.js: setTimeout); this one takes 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The response of a watch: lines out, many per write when they come fast; ends once, running what `onEnd` registered. */
export class WatchStream {
  /** Settles when the watch is over. */
  readonly ended: Promise<void>;
  readonly #response: ServerResponse;
  readonly #endings: (() => void)[] = [];
  readonly #notices: (() => void)[] = [];
  #settle: () => void = () => undefined;
  #over = false;
  #pending: string[] = [];

  constructor(options: { response: ServerResponse; timeoutMs: number; stopping: AbortSignal }) {
    this.#response = options.response;
    this.ended = new Promise((resolve) => (this.#settle = resolve));
    this.#response.writeHead(200, {
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
    });
    this.#sendHeaders();
    this.#endWith(options);
  }

  /** Queues a line; everything queued in one turn of the event loop goes out in one write. */
  send(line: string): void {
    if (this.#over) return;
    if (this.#pending.push(line) === 1) setImmediate(() => this.#flush());
  }

  /** Sends a last line and ends. */
  sendLast(line: string): void {
    this.send(line);
    this.#end();
  }

  onEnd(ending: () => void): void {
    if (this.#over) ending();
    else this.#endings.push(ending);
  }

  /** Called shortly before the time is over. */
  beforeTimeout(notice: () => void): void {
    this.#notices.push(notice);
  }

  /** The client must learn at once that its watch stands; HTTP/1.1 would keep the head back until the first event. */
  #sendHeaders(): void {
    if ('flushHeaders' in this.#response)
      (this.#response as unknown as { flushHeaders(): void }).flushHeaders();
  }

  #endWith({ timeoutMs: asked, stopping }: { timeoutMs: number; stopping: AbortSignal }): void {
    const end = () => this.#end();
    const timeoutMs = Math.min(asked, LONGEST_TIMER_MS);
    const timer = setTimeout(end, timeoutMs);
    const notice = setTimeout(
      () => this.#notices.forEach((call) => call()),
      Math.max(timeoutMs - NOTICE_MS, 0),
    );
    this.#response.once('close', end);
    stopping.addEventListener('abort', end, { once: true });
    this.onEnd(() => {
      clearTimeout(timer);
      clearTimeout(notice);
      stopping.removeEventListener('abort', end);
    });
    // What is over already says so no more.
    if (stopping.aborted) end();
  }

  #flush(): void {
    const text = this.#pending.join('');
    this.#pending = [];
    if (text === '' || this.#response.destroyed || this.#response.writableEnded) return;
    this.#response.write(text);
    if (this.#response.writableLength > BACKLOG_LIMIT_BYTES) this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#flush();
    this.#over = true;
    this.#response.end();
    for (const ending of this.#endings) ending();
    this.#settle();
  }
}
