// How an error looks over HTTP: a status, and {code, message, hint, detail} as the body.
import type { FastifyError } from "fastify";
import type { ErrorCode } from "../errors.ts";
import { RegateError } from "../errors.ts";

const statuses: { readonly [code in ErrorCode]?: number } = {
  REQUEST_INVALID: 400,
  NOT_FOUND: 404,
  HOST_REFUSED: 421,
  APPROVAL_UNKNOWN: 404,
  APPROVAL_NOT_ALLOWED: 403,
  APPROVAL_SETTLED: 409,
  RESOURCE_UNKNOWN: 404,
  DETOKENIZE_UNKNOWN: 404,
  DETOKENIZE_REFUSED: 403,
  MASK_KEY_MISSING: 409,
  AUDIT_UNAVAILABLE: 503,
  CATALOG_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
};

export function statusOf(error: RegateError): number {
  return error.code.startsWith("TOKEN_") ? 401 : (statuses[error.code] ?? 500);
}

export type ErrorBody = {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly detail?: string;
};

/** What a caller is told. Why a token was refused is for the operator alone. */
export function bodyOf(error: RegateError): ErrorBody {
  const told = error.code.startsWith("TOKEN_") ? new RegateError("TOKEN_INVALID") : error;
  const { code, message, hint, detail } = told;
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(detail === undefined || statusOf(told) === 500 ? {} : { detail }),
  };
}

/** Everything thrown in a request, with its status. What fastify refuses keeps its own (400, 413, 415). */
export function presented(thrown: unknown): { readonly status: number; readonly error: RegateError } {
  if (thrown instanceof RegateError) return { status: statusOf(thrown), error: thrown };
  const { statusCode, message } = thrown as Partial<FastifyError>;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, error: new RegateError("REQUEST_INVALID", { detail: message ?? "" }) };
  }
  return { status: 500, error: new RegateError("INTERNAL", { message: "The gate failed", cause: thrown }) };
}
