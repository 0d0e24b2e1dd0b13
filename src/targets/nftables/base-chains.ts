// The chains at the hooks of a table, as `nft list chains` says them: what of ours is missing, and what
// somebody else has added.

/** Names of the chains of a table that are at a hook. Of each chain it says its hook and no rule. */
export function baseChains(listed: string, table: string): readonly string[] {
  const names: string[] = [];
  let isInTable = false;
  let chain: string | undefined;
  for (const line of listed.split('\n')) {
    const [first, second, third] = line.trim().split(/\s+/);
    if (first === 'table') isInTable = third === table;
    else if (first === 'chain') chain = second;
    else if (isInTable && chain !== undefined && first === 'type') names.push(chain);
  }
  return names;
}
