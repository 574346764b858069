// POST /v1/detokenize: tokens of one column in, its values out, where the policy shows them to the caller in clear.
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Detokenized, DetokenizeRequest } from "../core/detokenize.ts";
import type { Identity } from "../core/facts.ts";
import type { TokenReader } from "../core/ports.ts";
import { RegateError } from "../errors.ts";
import { authenticate } from "./authenticate.ts";

/** @throws RegateError as runDetokenize */
export type Detokenize = (identity: Identity, address: string, request: DetokenizeRequest) => Promise<Detokenized>;

const body = {
  type: "object",
  properties: {
    resource: { type: "string", minLength: 1, maxLength: 256 },
    column: { type: "string", minLength: 1, maxLength: 256 },
    tokens: { type: "array", minItems: 1, maxItems: 100, items: { type: "string", maxLength: 1024 } },
    version: { type: "string", minLength: 1, maxLength: 256 },
  },
  required: ["resource", "column", "tokens"],
  additionalProperties: false,
};

export function detokenizeRoutes(app: FastifyInstance, verifier: TokenReader, detokenize: Detokenize): void {
  const callers = new WeakMap<FastifyRequest, Identity>();
  // Before the body is read: who is not known is not listened to.
  app.addHook("onRequest", async (request) => {
    callers.set(request, await authenticate(request.headers.authorization, verifier));
  });
  app.post<{ Body: DetokenizeRequest }>("/v1/detokenize", { schema: { body } }, async (request) => {
    const identity = callers.get(request);
    if (identity === undefined) throw new RegateError("TOKEN_INVALID");
    return detokenize(identity, request.ip, request.body);
  });
}
