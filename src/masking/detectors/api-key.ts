// api-key: keys and tokens of services, by the prefixes and lengths that their issuers give them so that they can be found.
import { type Detector, isDigit, isLetter, isSaid, type Span } from "./detector.ts";
import { BEYOND_HEX } from "./traits.ts";

type Issuer = {
  /** What each key has in it, literally: a text without it is not searched further. */
  readonly prefix: string;
  /** Matched where the prefix begins. Nothing may follow a repetition without a bound, so that nothing is read twice. */
  readonly form: RegExp;
  /** Letters and digits may stand right before it. */
  readonly within?: true;
  isKey?(key: string): boolean;
};

const issuers: readonly Issuer[] = [
  // Amazon Web Services
  ...["AKIA", "ASIA", "ABIA", "ACCA"].map((prefix) => ({ prefix, form: /[A-Z]{4}[A-Z2-7]{16}(?![A-Za-z0-9])/y })),
  // Google
  { prefix: "AIza", form: /AIza[\w-]{35}/y },
  { prefix: "GOCSPX-", form: /GOCSPX-[\w-]{20,}/y },
  { prefix: "ya29.", form: /ya29\.[\w.-]{20,}/y },
  { prefix: "1//0", form: /1\/\/0[\w-]{30,}/y },
  // Microsoft Azure
  { prefix: "AccountKey=", form: /AccountKey=[A-Za-z0-9+/]{40,}={0,2}/y },
  { prefix: "SharedAccessKey=", form: /SharedAccessKey=[A-Za-z0-9+/]{40,}={0,2}/y },
  { prefix: "sig=", form: /sig=[A-Za-z0-9%+/]{43,}={0,2}/y },
  { prefix: "8Q~", form: /8Q~[\w.~-]{31,}/y, within: true },
  // GitHub, GitLab
  ...["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map((prefix) => ({ prefix, form: /gh[pousr]_[A-Za-z0-9]{30,}/y })),
  { prefix: "github_pat_", form: /github_pat_\w{22,}/y },
  ...["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-"].map((prefix) => ({
    prefix,
    form: /gl[a-z]{2,5}-[\w.-]{20,}/y,
  })),
  // Slack
  { prefix: "xox", form: /xox[abeoprs][-.][A-Za-z0-9.-]{10,}/y },
  { prefix: "xapp-", form: /xapp-\d-[A-Za-z0-9-]{10,}/y },
  { prefix: "hooks.slack.com/", form: /hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9/]{20,}/y },
  // Stripe
  ...["sk_live_", "sk_test_", "rk_live_", "rk_test_"].map((prefix) => ({
    prefix,
    form: /[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/y,
  })),
  { prefix: "whsec_", form: /whsec_[A-Za-z0-9+/]{24,}={0,2}/y },
  // Registries of packages
  { prefix: "npm_", form: /npm_[A-Za-z0-9]{36,}/y },
  { prefix: "pypi-AgE", form: /pypi-AgE[\w-]{30,}/y },
  { prefix: "rubygems_", form: /rubygems_[0-9a-f]{48}/y },
  { prefix: "dckr_pat_", form: /dckr_pat_[\w-]{20,}/y },
  // Models
  { prefix: "sk-", form: /sk-[\w-]{20,}/y, isKey: (key) => /\d/.test(key) && /[A-Za-z0-9]{16}/.test(key) },
  { prefix: "hf_", form: /hf_[A-Za-z0-9]{30,}/y },
  // Messages and mail
  ...["AC", "SK"].map((prefix) => ({ prefix, form: /(?:AC|SK)[0-9a-f]{32}(?![A-Za-z0-9])/y })),
  { prefix: "SG.", form: /SG\.[\w-]{16,32}\.[\w-]{16,}/y },
  { prefix: "key-", form: /key-[0-9a-f]{32}(?![A-Za-z0-9])/y },
  { prefix: "-us", form: /-us\d{1,2}(?![A-Za-z0-9])/y, within: true },
  { prefix: ":AA", form: /:AA[\w-]{33}(?![\w-])/y, within: true },
  // Others
  { prefix: "dop_v1_", form: /dop_v1_[0-9a-f]{64}/y },
  ...["shpat_", "shpca_", "shppa_", "shpss_"].map((prefix) => ({ prefix, form: /shp[a-z]{2}_[0-9a-fA-F]{32}/y })),
  ...["sq0csp-", "sq0atp-", "sq0idp-"].map((prefix) => ({ prefix, form: /sq0[a-z]{3}-[\w-]{22,}/y })),
  { prefix: "hvs.", form: /hvs\.[\w-]{24,}/y },
  { prefix: "lin_api_", form: /lin_api_[A-Za-z0-9]{32,}/y },
  { prefix: "PMAK-", form: /PMAK-[0-9a-f]{24}-[0-9a-f]{34}/y },
  { prefix: "ATATT3", form: /ATATT3[\w=-]{40,}/y },
  { prefix: "dapi", form: /dapi[0-9a-f]{32}(?![A-Za-z0-9])/y },
  { prefix: "figd_", form: /figd_[\w-]{30,}/y },
  { prefix: "nfp_", form: /nfp_[A-Za-z0-9]{36,}/y },
];

/** Of these the prefix stands in the middle: how much is before it. */
const heads = new Map<string, RegExp>([
  ["-us", /(?<![A-Za-z0-9])[0-9a-f]{32}$/],
  [":AA", /(?<!\d)\d{8,10}$/],
  ["8Q~", /[\w.~-]{3}$/],
]);

export const apiKey: Detector = {
  name: "api-key",
  needs: [{ run: 16, signs: BEYOND_HEX }],
  find(text) {
    const spans: Span[] = [];
    for (const issuer of issuers) {
      for (let at = text.indexOf(issuer.prefix); at !== -1; ) {
        const { span, reached } = keyAt(text, at, issuer);
        if (span !== undefined) spans.push(span);
        at = text.indexOf(issuer.prefix, reached);
      }
    }
    spans.push(...amazonSecrets(text, spans));
    return spans;
  },
};

/** The key at a prefix, and how far the text was read: nothing before that is read again. */
function keyAt(text: string, at: number, issuer: Issuer): { span?: Span; reached: number } {
  const { prefix, form, within, isKey } = issuer;
  const before = text.charCodeAt(at - 1);
  if (within !== true && (isLetter(before) || isDigit(before))) return { reached: at + 1 };
  form.lastIndex = at;
  const match = form.exec(text);
  if (match === null) return { reached: at + 1 };
  const reached = at + match[0].length;
  if (isKey?.(match[0]) === false) return { reached };
  const head = heads.get(prefix);
  const ahead = head === undefined ? "" : head.exec(text.slice(Math.max(0, at - 40), at))?.[0];
  return ahead === undefined ? { reached } : { span: { start: at - ahead.length, end: reached }, reached };
}

/** Secret access keys have no prefix: 40 characters of base64 beside an access key, or after a word that tells. */
const secret = /(?<![A-Za-z0-9/+=_-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])/g;

function amazonSecrets(text: string, found: readonly Span[]): Span[] {
  const hasAccessKey = found.some(({ start }) => /^A[KSBC][IC]A/.test(text.slice(start, start + 4)));
  const spans: Span[] = [];
  for (const match of text.matchAll(secret)) {
    if (!/[a-z]/.test(match[0]) || !/[A-Z]/.test(match[0]) || !/\d/.test(match[0])) continue;
    if (hasAccessKey || isSaid(text, match.index, /aws|amazon|secret|access.?key/i))
      spans.push({ start: match.index, end: match.index + 40 });
  }
  return spans;
}
