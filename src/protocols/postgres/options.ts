// The startup parameter `options`: command-line switches for the server, read as it reads them.

/** Splits like pg_split_opts (postinit.c): at white space, which a backslash makes part of the word. */
function splitOptions(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!;
    if (/[ \t\n\v\f\r]/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + (letter === "\\" ? (text[++i] ?? "") : letter);
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** The settings that the switches make: `-c name=value`, `-cname=value`, `--name=value` (with `-` for `_`). Others give a name only. */
export function startupSettings(text: string): { readonly name: string; readonly value: string }[] {
  const words = splitOptions(text);
  const settings: { name: string; value: string }[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    let assignment = word;
    if (word === "-c") assignment = words[++i] ?? "";
    else if (word.startsWith("-c")) assignment = word.slice(2);
    else if (word.startsWith("--")) assignment = word.slice(2);
    const at = assignment.indexOf("=");
    const name = (at < 0 ? assignment : assignment.slice(0, at)).replaceAll("-", "_");
    settings.push({ name, value: at < 0 ? "" : assignment.slice(at + 1) });
  }
  return settings;
}
