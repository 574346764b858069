// `${NAME}` in the configuration's texts: the environment's value takes its place.

export type Expanded = { readonly value: string; readonly missing: readonly string[] };

/** `${NAME}` becomes the variable's value; `$${NAME}` stays as `${NAME}`. Anything else is left as it is. */
export function expand(
  text: string,
  env: NodeJS.ProcessEnv,
  encode: (value: string) => string = (value) => value,
): Expanded {
  const missing: string[] = [];
  const value = text.replace(
    /\$(\$\{[A-Za-z_][A-Za-z0-9_]*\})|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
    (_, literal?: string, name?: string) => {
      if (literal !== undefined) return literal;
      const found = env[name!];
      if (found === undefined) missing.push(name!);
      return found === undefined ? "" : encode(found);
    },
  );
  return { value, missing };
}

/**
 * As {@link expand}, but what stands in the user part (`//user:password@`) is percent-encoded: a password may hold any character,
 * and cannot turn into another host.
 */
export function expandUrl(text: string, env: NodeJS.ProcessEnv): Expanded {
  const start = text.indexOf("://");
  const end = start < 0 ? -1 : authorityEnd(text, start + 3);
  if (end < 0) return expand(text, env);
  const user = expand(text.slice(start + 3, end), env, encodeURIComponent);
  const before = expand(text.slice(0, start + 3), env);
  const after = expand(text.slice(end), env);
  return {
    value: before.value + user.value + after.value,
    missing: [...before.missing, ...user.missing, ...after.missing],
  };
}

/** Where the user part ends: the last @ before the path. */
function authorityEnd(text: string, start: number): number {
  const path = text.slice(start).search(/[/?#]/);
  const authority = path < 0 ? text.length : start + path;
  const at = text.lastIndexOf("@", authority);
  return at < start ? -1 : at;
}
