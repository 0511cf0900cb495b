#!/usr/bin/env bash
# Times ADOL-C and Sacado, whichever is installed (Debian's libadolc-dev; libtrilinos-sacado-dev and libtrilinos-kokkos-dev):
#     bash peers/cpp/compare.sh [OUT.json [ADBENCH-FOLDER [ROUNDS]]]
# `wengert report --peers OUT.json` draws them in; a package that is missing is listed there with that reason.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
out="${1:-cpp-peers.json}"
adbench="${2:-$root/../shared/adbench}"
rounds="${3:-11}"
flags=(-std=c++17 -O3 -DNDEBUG)
libraries=()
has() { printf '#include <%s>\n' "$1" | c++ "${flags[@]}" -x c++ -fsyntax-only - 2>/dev/null; }
flags+=(-isystem /usr/include/trilinos)
if has adolc/adolc.h; then flags+=(-DWITH_ADOLC); libraries+=(-ladolc); fi
if has Sacado_trad.hpp; then flags+=(-DWITH_SACADO); libraries+=(-ltrilinos_sacado); fi
mkdir -p "$root/target/peers-cpp"
c++ "${flags[@]}" "$here/compare.cpp" -o "$root/target/peers-cpp/compare" "${libraries[@]}"
# ADOL-C writes the buffers of long traces into the working folder.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
adbench="$(realpath -m "$adbench")"
(cd "$work" && "$root/target/peers-cpp/compare" "$adbench" "$rounds") > "$work/out.json"
mv "$work/out.json" "$out"
