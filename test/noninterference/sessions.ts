// A session on either side, and what comes back from both for the same bytes.
import { Wire, type WireMessage } from "../support/wire.ts";
import { type Exchange, framesOf, readies } from "./exchanges.ts";
import type { Side } from "./protected.ts";
import { type Gates, RESOURCE, SCOPES, type Who } from "./sides.ts";

/** What came back for one exchange; `broken`: why no more came. */
export type Answer = { readonly messages: readonly WireMessage[]; readonly broken?: string };
export type Answers = { readonly [side in Side]: Answer };

const SIDES = ["left", "right"] as const;
const PATIENCE_MS = 60_000;

export class Sessions {
  readonly #gates: Gates;
  readonly #tokens: { readonly [side in Side]: string };
  #wires: { [side in Side]?: Wire } = {};

  private constructor(gates: Gates, tokens: { readonly [side in Side]: string }) {
    this.#gates = gates;
    this.#tokens = tokens;
  }

  static async open(gates: Gates, who: Who): Promise<Sessions> {
    const scopes = SCOPES[who];
    const [left, right] = await Promise.all(SIDES.map((side) => gates[side].token({ scopes })));
    return new Sessions(gates, { left: left!, right: right! });
  }

  /** Sends all at once, and tells the answers of each. A session that breaks is opened anew; what was still under way counts as broken, too. */
  async run(exchanges: readonly Exchange[]): Promise<readonly Answers[]> {
    const frames = exchanges.map(framesOf);
    const counts = frames.map(readies);
    const bytes = Buffer.concat(frames.flat());
    const [left, right] = await Promise.all(SIDES.map((side) => this.#one(side, bytes, counts)));
    if ([left, right].some((answers) => answers!.at(-1)!.broken !== undefined)) this.close();
    return exchanges.map((_, at) => ({ left: left![at]!, right: right![at]! }));
  }

  async #one(side: Side, bytes: Buffer, counts: readonly number[]): Promise<Answer[]> {
    const answers: Answer[] = [];
    let messages: WireMessage[] = [];
    try {
      const wire = this.#wires[side] ?? (await this.#login(side));
      wire.send(bytes);
      for (const count of counts) {
        messages = [];
        for (let left = count; left > 0; ) {
          const message = await wire.next(PATIENCE_MS);
          messages.push(message);
          if (message.type === "Z") left--;
        }
        answers.push({ messages });
      }
    } catch (error) {
      const broken = (error as Error).message;
      answers.push({ messages, broken });
      while (answers.length < counts.length) answers.push({ messages: [], broken });
    }
    return answers;
  }

  async #login(side: Side): Promise<Wire> {
    const wire = await Wire.login(this.#gates[side].postgres, "app", RESOURCE, this.#tokens[side]);
    this.#wires[side] = wire;
    return wire;
  }

  close(): void {
    for (const side of SIDES) this.#wires[side]?.end();
    this.#wires = {};
  }
}
