#!/bin/sh
# Sets up, builds and opens Blendscope: on the files given, or on the demo scene with detection and deblending running.
# Without a display it does the same under a virtual one and leaves a screenshot and the results in a folder.
#   sh installer/run.sh                          the demo scene
#   sh installer/run.sh my_g.fits my_r.fits      one scene of several files
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

sh "$root/installer/setup.sh"
cmake -S "$root" -B "$root/build/release" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBLENDSCOPE_TESTS=OFF >/dev/null
cmake --build "$root/build/release"
program="$root/build/release/bin/blendscope"

if [ $# -eq 0 ]; then
  set -- --demo
fi

if [ -n "${DISPLAY:-}" ] || [ -n "${WAYLAND_DISPLAY:-}" ]; then
  exec "$program" --run "$@"
fi

out="${BLENDSCOPE_OUT:-$PWD/out}"
mkdir -p "$out"
echo "run: there is no display; drawing on a virtual one"
QT_QPA_PLATFORM=xcb LIBGL_ALWAYS_SOFTWARE=1 xvfb-run -a -s "-screen 0 1600x1000x24" \
  "$program" --run --size 1600x1000 --screenshot "$out/screenshot.png" --out "$out/result" --quit-when-done "$@"
echo "run: screenshot $out/screenshot.png"
echo "run: results    $out/result"
