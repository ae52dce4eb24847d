#!/bin/sh
# Builds plugins/example outside the tree against an installed Blendscope, and asks the installed program for it.
# usage: build.sh BUILD_DIR SOURCE_DIR
set -eu
build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" > "$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
cp -r "$source/plugins/example" "$work/mine"
# Another name than the installed one, so that only the new module can answer.
mv "$work/mine/Example.cpp" "$work/mine/Mine.cpp"
sed -i 's/NAME example SOURCES Example.cpp/NAME mine SOURCES Mine.cpp/' "$work/mine/CMakeLists.txt"
sed -i 's/"id": "example"/"id": "mine"/' "$work/mine/method.json"

cmake -S "$work/mine" -B "$work/mine/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release
cmake --build "$work/mine/build"

BLENDSCOPE_PLUGIN_PATH=$(dirname "$(dirname "$(find "$work/mine/build" -name mine.so)")")
export BLENDSCOPE_PLUGIN_PATH
"$work/prefix/bin/blend" methods mine --json | tee "$work/methods.json"
grep -q '"usable": true' "$work/methods.json"

# The module must also load and run: a simulated scene, deblended by it.
"$work/prefix/bin/blend" simulate demo --out "$work/scene" --json > "$work/scenes.json"
"$work/prefix/bin/blend" run "$work"/scene/*.fits.gz --pipeline threshold+mine --out "$work/result" --json > "$work/run.json"
test -s "$work/result/catalog.csv"
echo "the example works outside the tree"
