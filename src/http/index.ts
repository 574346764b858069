// The gate's HTTP API: health for machines, approvals for approvers, detokenizing for who may.
import { fastify } from "fastify";
import type { Approvals, TokenReader } from "../core/ports.ts";
import { errorText, RegateError } from "../errors.ts";
import { approvalRoutes } from "./approvals.ts";
import { type Detokenize, detokenizeRoutes } from "./detokenize.ts";
import { bodyOf, presented } from "./errors.ts";
import { isLoopback } from "../loopback.ts";
import { hostName } from "./host.ts";

/** Never given SQL, tokens or values. */
export type HttpLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type HttpOptions = {
  readonly host: string;
  readonly port: number;
  readonly verifier: TokenReader;
  readonly approvals: Approvals;
  readonly detokenize: Detokenize;
  /** The body of /healthz. With a `status` other than "ok" the answer is 503. */
  readonly health: () => object;
  readonly log: HttpLog;
};

export interface Http {
  /** host:port, as bound. */
  readonly address: string;
  close(): Promise<void>;
}

const BODY_BYTES = 16_384;
/** A token of its largest size, and the rest. */
const HEADER_BYTES = 32_768;
const REQUEST_MS = 10_000;

/** @throws RegateError PORT_IN_USE, CONFIG_INVALID */
export async function startHttp(options: HttpOptions): Promise<Http> {
  const { verifier, approvals, log } = options;
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: REQUEST_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    http: { maxHeaderSize: HEADER_BYTES, headersTimeout: REQUEST_MS },
    // Nothing is guessed: a number is no text, an unknown member is an error.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allowUnionTypes: true } },
  });
  const onLoopback = isLoopback(options.host);

  app.setErrorHandler((thrown, request, reply) => {
    const { status, error } = presented(thrown);
    const fields = {
      code: error.code,
      detail: error.detail,
      method: request.method,
      path: request.routeOptions.url,
      client: request.ip,
    };
    if (status >= 500) log.error({ ...fields, cause: errorText(thrown) }, "an HTTP request failed");
    else if (status === 401) log.warn(fields, "an HTTP request was refused");
    if (status === 401) reply.header("www-authenticate", 'Bearer realm="regate", error="invalid_token"');
    return reply.status(status).send(bodyOf(error));
  });
  app.setNotFoundHandler(() => {
    throw new RegateError("NOT_FOUND");
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'",
    });
    const name = hostName(request.headers.host);
    if (onLoopback && !isLoopback(name)) throw new RegateError("HOST_REFUSED");
  });
  app.get("/healthz", async (_, reply) => {
    const health = options.health();
    const { status } = health as { status?: unknown };
    return reply.status(status === undefined || status === "ok" ? 200 : 503).send(health);
  });
  await app.register(async (scope) => approvalRoutes(scope, verifier, approvals, log));
  await app.register(async (scope) => detokenizeRoutes(scope, verifier, options.detokenize));

  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (cause) {
    await app.close();
    throw listenError(cause, options);
  }
  return { address: boundAddress(app.server.address(), options), close: async () => app.close() };
}

function boundAddress(bound: ReturnType<import("node:net").Server["address"]>, { host, port }: HttpOptions): string {
  const at = typeof bound === "object" && bound !== null ? bound.port : port;
  return host.includes(":") ? `[${host}]:${at}` : `${host}:${at}`;
}

function listenError(cause: unknown, { host, port }: HttpOptions): RegateError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return new RegateError("PORT_IN_USE", { detail: `listen.http: ${host}:${port}`, cause });
  return new RegateError("CONFIG_INVALID", {
    detail: `listen.http: ${host}:${port}: ${errorText(cause)}`,
    hint: "Name an address of this machine and a port that the gate may use.",
    cause,
  });
}
