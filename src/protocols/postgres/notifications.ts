// Payloads of NOTIFY on their way to who listens: any session may have written them, and a trigger most often writes whole rows.
import { inputOf } from "../../core/pipeline.ts";
import type { Decision } from "../../core/decision.ts";
import { planDetect } from "../../masking/index.ts";
import { decodeNotification, encodeNotice, encodeNotification } from "./message.ts";
import type { Session } from "./session.ts";

/** The type of a payload. */
const TEXT = { typeOid: 25, format: 0, modifier: -1 };

export class Notifications {
  readonly #session: Session;
  /** What the policy says to a session's start, by the bundle in force. */
  #decided: { readonly revision: string; readonly decision: Decision | undefined } | undefined;
  /** Said once: which channels are withheld would fill the client's screen. */
  #told = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** What the client gets in place of NotificationResponse; undefined: the message as it is. @throws RegateError MASK_IMPOSSIBLE, UPSTREAM_PROTOCOL */
  shown(body: Buffer): readonly Buffer[] | undefined {
    const { options, lastCatalog } = this.#session;
    if (options.pipeline.policy.mode === "observe") return undefined;
    const { pid, channel, payload } = decodeNotification(body);
    if (payload.length === 0) return undefined;
    const decision = this.#decision();
    const listed = decision?.channels ?? [];
    if (lastCatalog?.hasTags !== false && !listed.includes(channel) && !listed.includes("*"))
      return [encodeNotification(pid, channel, Buffer.alloc(0)), ...this.#tell(channel)];
    if (decision?.detect === undefined) return undefined;
    const { maskKey: key, tokenKey } = options;
    const mask = planDetect(decision.detect, TEXT, { key, ...(tokenKey === undefined ? {} : { tokenKey }) });
    return [encodeNotification(pid, channel, mask?.(payload, 0, payload.length) ?? Buffer.alloc(0))];
  }

  /** As for a session that starts now. Undefined (nothing is shown) where it would not be let in, or where that cannot be told at once. */
  #decision(): Decision | undefined {
    const { policy } = this.#session.options.pipeline;
    if (this.#decided?.revision !== policy.revision) {
      const { context } = this.#session;
      const answer = policy.evaluate(inputOf(`${context.facts.id}-notifications`, context, undefined));
      const allowed = !(answer instanceof Promise) && (answer.action === "allow" || answer.action === "mask");
      this.#decided = { revision: policy.revision, decision: allowed ? answer : undefined };
    }
    return this.#decided.decision;
  }

  #tell(channel: string): readonly Buffer[] {
    if (this.#told) return [];
    this.#told = true;
    const notice = encodeNotice({
      S: "NOTICE",
      V: "NOTICE",
      C: "00000",
      M: `the payload of a notification on channel "${channel}" is withheld: what others write there may be protected`,
      H: "The policy's data.notifications names the channels whose payloads are shown.",
    });
    return [notice];
  }
}
