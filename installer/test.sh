#!/bin/sh
# Sets up, builds with warnings as errors, and runs all tests.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

sh "$root/installer/setup.sh"
cd "$root"
cmake --preset dev >/dev/null
cmake --build --preset dev
ctest --preset dev -j "$(nproc)" "$@"
