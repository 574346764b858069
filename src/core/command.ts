// What a client asked for in one protocol step, with its facts: the unit that is decided, recorded and permitted.
import type { Decision } from "./decision.ts";
import type { CommandFacts, Identity, Resource, SessionFacts } from "./facts.ts";
import type { Probe } from "./inference.ts";

/** A session as core sees it. `facts` is live: the shim updates `in_transaction` and `usage`. */
export type SessionContext = {
  readonly identity: Identity;
  readonly resource: Resource;
  readonly facts: { -readonly [K in keyof SessionFacts]: SessionFacts[K] };
  /** The same object as `facts.usage`, for who counts. */
  readonly usage: { -readonly [K in keyof SessionFacts["usage"]]: number };
  /** The next number of the session's gapless record sequence. */
  sequence: number;
};

/** A name in a command that nothing has, as the server would say it. */
export type Missing = { readonly sqlstate: string; readonly message: string };

/**
 * `facts` is one object per (statement, message) that lives as long as the statement, so that caches can hang on its identity.
 * `key` says now what an approval is bound to: the text, a digest of the bound parameters and the catalog's version.
 */
export type Command = {
  readonly facts: CommandFacts;
  readonly key: () => string;
  /** A refusal says this first: whoever mistyped a name learns nothing from what a policy makes of it. */
  readonly missing?: Missing | undefined;
  /** What it looks up, by value. */
  readonly probes?: (() => readonly Probe[]) | undefined;
  /** What was replaced in the client's text to make this of it. */
  readonly substitutions?: Decision["substitutions"];
};
