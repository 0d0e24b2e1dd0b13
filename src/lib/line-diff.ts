// What differs between two texts, line by line, with a few lines around: `-` was, `+` is.

const CONTEXT = 2;
/** Beyond this many pairs of lines nothing is aligned any more: all that was, then all that is. */
const PAIRS_MAX = 4_000_000;

/** Empty when the texts are the same. */
export function lineDiff(before: readonly string[], after: readonly string[]): readonly string[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before.at(-1 - end) === after.at(-1 - end)
  ) {
    end++;
  }
  const was = before.slice(start, before.length - end);
  const is = after.slice(start, after.length - end);
  if (was.length === 0 && is.length === 0) return [];
  const head = before.slice(Math.max(0, start - CONTEXT), start).map((line) => `  ${line}`);
  const tail =
    end === 0
      ? []
      : before
          .slice(-end)
          .slice(0, CONTEXT)
          .map((line) => `  ${line}`);
  return shorten([...head, ...align(was, is), ...tail]);
}

/** By the longest common subsequence. */
function align(was: readonly string[], is: readonly string[]): readonly string[] {
  if (was.length * is.length > PAIRS_MAX) {
    return [...was.map((line) => `- ${line}`), ...is.map((line) => `+ ${line}`)];
  }
  const width = is.length + 1;
  const lengths = new Uint32Array((was.length + 1) * width);
  for (let i = was.length - 1; i >= 0; i--) {
    for (let j = is.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        was[i] === is[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < was.length || j < is.length) {
    if (i < was.length && j < is.length && was[i] === is[j]) {
      lines.push(`  ${was[i]}`);
      i++;
      j++;
    } else if (
      j >= is.length ||
      (i < was.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)
    ) {
      lines.push(`- ${was[i++]}`);
    } else lines.push(`+ ${is[j++]}`);
  }
  return lines;
}

/** Long stretches without a change become a line. */
function shorten(lines: readonly string[]): readonly string[] {
  const isNear = lines.map((_, i) =>
    lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((line) => !line.startsWith('  ')),
  );
  return lines.flatMap((line, i) => {
    if (isNear[i] === true) return [line];
    return isNear[i - 1] === true ? ['  …'] : [];
  });
}
