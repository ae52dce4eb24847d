#!/bin/sh
# The slow checks before a release: clang-tidy, then the engine's tests under address, undefined-behaviour and thread
# sanitizers. `sh tests/check.sh [tidy] [asan] [tsan]`, all three without arguments.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
[ $# -gt 0 ] || set -- tidy asan tsan

for check in "$@"; do
  case "$check" in
  tidy)
    # Configured, not built: it needs the compile commands alone, without the other compiler's precompiled headers.
    # Files that see LibTorch are looked at in the units that they are compiled in: its headers take most of the time.
    cmake --preset dev -B build/tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
    sed -n 's/^ *"file": "\(.*\)".*/\1/p' build/tidy/compile_commands.json | sort -u >build/tidy/files
    grep -E "^$root/(build/tidy/)?(engine|plugins|app/blend|ui/figure)/" build/tidy/files |
      grep -vE '/tests/|mocs_compilation|/qrc_' >build/tidy/ours
    clean=0
    grep '/Unity/' build/tidy/ours | xargs -P "$(nproc)" -n 1 clang-tidy -p build/tidy --quiet --warnings-as-errors='*' \
      --checks=-bugprone-suspicious-include --header-filter='(engine|plugins)/.*\.(h|cpp)$' --extra-arg=-include --extra-arg="$root/tests/tidy_torch.h" || clean=1
    grep -v '/Unity/' build/tidy/ours | xargs -P "$(nproc)" -n 4 clang-tidy -p build/tidy --quiet --warnings-as-errors='*' || clean=1
    [ $clean = 0 ]
    ;;
  asan)
    cmake --preset asan >/dev/null
    cmake --build --preset asan
    # Known leaks of libraries are listed with their reason in the suppression file.
    # CFITSIO asks for absurd sizes on damaged headers and expects to be refused, as malloc does.
    ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1 LSAN_OPTIONS="suppressions=$root/tests/lsan.supp" \
      UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ctest --preset asan -L 'engine|plugins'
    ;;
  tsan)
    cmake --preset tsan >/dev/null
    cmake --build --preset tsan
    TSAN_OPTIONS="suppressions=$root/tests/tsan.supp:halt_on_error=1:allocator_may_return_null=1" ctest --preset tsan -L 'engine|plugins'
    ;;
  *)
    echo "check: unknown check $check; there are tidy, asan, tsan" >&2
    exit 2
    ;;
  esac
done
