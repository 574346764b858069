// Requests to a running gate's HTTP API.
import { type ErrorCode, ERRORS, errorText, RegateError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";

const TIMEOUT_MS = 15_000;

/** A gate's address. A token is sent in clear to this machine only. @throws RegateError USAGE */
export function apiUrl(given: string): URL {
  if (!URL.canParse(given)) throw new RegateError("USAGE", { detail: `--url ${given}: not a URL` });
  const url = new URL(given);
  const { protocol, hostname } = url;
  if (protocol !== "http:" && protocol !== "https:")
    throw new RegateError("USAGE", { detail: `--url ${given}: expected http:// or https://` });
  // Addresses of IPv6 are in brackets there.
  if (protocol === "http:" && !isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"))) {
    throw new RegateError("USAGE", {
      detail: `--url ${given}: the token would travel in clear`,
      hint: "Use https://, or run the command on the gate's own machine.",
    });
  }
  return url;
}

/** The body of the answer. @throws RegateError API_UNREACHABLE, or the code that the gate answered with */
export async function api(
  url: URL,
  token: string,
  method: "GET" | "POST",
  path: string,
  body?: object,
): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, url), {
      method,
      // A redirect would carry the token elsewhere.
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (cause) {
    const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new RegateError("API_UNREACHABLE", {
      detail: `${url.origin}: ${errorText(inner) || errorText(cause)}`,
      cause,
    });
  }
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new RegateError("API_UNREACHABLE", {
      detail: `${url.origin}: the answer (status ${response.status}) is not a gate's`,
    });
  }
  if (response.ok) return answer;
  throw answered(answer, response.status, url);
}

function answered(answer: unknown, status: number, url: URL): RegateError {
  const { code, message, hint, detail } = answer as {
    code?: unknown;
    message?: unknown;
    hint?: unknown;
    detail?: unknown;
  };
  if (typeof code !== "string" || !Object.hasOwn(ERRORS, code)) {
    return new RegateError("API_UNREACHABLE", {
      detail: `${url.origin}: the answer (status ${status}) is not a gate's`,
    });
  }
  return new RegateError(code as ErrorCode, {
    ...(typeof message === "string" ? { message } : {}),
    ...(typeof hint === "string" ? { hint } : {}),
    ...(typeof detail === "string" ? { detail } : {}),
  });
}
