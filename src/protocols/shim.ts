// What a protocol shim is to the gateway: something that listens, speaks one database protocol, and can be drained.
import type { StoredColumn } from "../core/detokenize.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { Resource } from "../core/facts.ts";
import type { TokenVerifier } from "../core/ports.ts";

/** One entry of `resources` in the configuration, as a shim sees it. `url` says where the server is and holds its credential. */
export type ShimResource = {
  readonly facts: Resource;
  readonly url: string;
  /** When a change of the catalog that was made past the gate is looked for: for each command, or at most so many milliseconds late. */
  readonly catalogCheck: "command" | "auto" | number;
  /** `rate`, 0 to 1: how many commands' facts are held against the server's plan. */
  readonly planCheck: { readonly rate: number; readonly on_mismatch: "alarm" | "refuse" };
};

/** How often the server was asked whether it agrees with the facts, and how often it did not, since the start. */
export type CheckCounts = {
  readonly disagreements: { readonly descriptions: number; readonly plans: number };
  readonly plans: {
    readonly checked: number;
    readonly stale: number;
    readonly unplanned: number;
    readonly dropped: number;
  };
};

/** What a shim tells the operator. Never SQL, tokens or values. */
export type ShimLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type ShimOptions = {
  readonly host: string;
  readonly port: number;
  readonly resources: ReadonlyMap<string, ShimResource>;
  readonly pipeline: Pipeline;
  readonly verifier: TokenVerifier;
  /** PEM texts; undefined: no TLS is offered. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Where a token may travel without TLS. */
  readonly allowPlaintext: "never" | "loopback" | "always";
  readonly limits: {
    /** Bytes of one command's text. */
    readonly commandBytes: number;
    /** Bytes of one protocol message. */
    readonly messageBytes: number;
    /** Bytes of one result row that has a masked column. */
    readonly rowBytes: number;
    readonly startupTimeoutMs: number;
    readonly connections: number;
  };
  /** Which objects the classification's names stand for, kept across restarts. JSON values, by resource. */
  readonly bindings: { read(resource: string): unknown; write(resource: string, bindings: object): void };
  /** Keeps what is needed to reproduce a disagreement between facts and server; gives the file's name, if it was kept. */
  readonly reproductions: { write(report: object): string | undefined };
  /** The secret of keyed masks. */
  readonly maskKey: Buffer;
  /** The named key that the mask `tokenize` encrypts with now. @throws RegateError KEY_UNREADABLE */
  readonly tokenKey: (name: string) => Buffer | undefined;
  /** Where an approver looks a held command up; shown to the client. */
  readonly approvalUrl: (id: string) => string;
  readonly log: ShimLog;
};

export interface Shim {
  /** host:port, as bound. */
  readonly address: string;
  readonly sessions: number;
  readonly checks: CheckCounts;
  /** A column by its name in `data.classification`. @throws RegateError CATALOG_UNAVAILABLE */
  column(resource: string, name: string): Promise<StoredColumn | undefined>;
  /** Stops listening, lets running commands end for at most `graceMs`, then ends every session. */
  close(graceMs: number): Promise<void>;
}
