#!/bin/sh
# Installs from Debian what building, running and testing Blendscope needs and this machine lacks; nothing else.
# Says what it does; does nothing where all is there. Needs root or sudo only where something is missing.
set -eu

packages="
  g++ cmake ninja-build pkg-config git
  qt6-base-dev libqt6opengl6-dev libgl-dev libegl-dev libopengl-dev
  libvtk9-dev libopencv-dev libcfitsio-dev wcslib-dev zlib1g-dev
  libtorch-dev libopenblas0-pthread
  libgl1-mesa-dri xvfb xauth fonts-dejavu-core
  clang-format python3 python3-astropy python3-skimage python3-sklearn python3-torch
"

missing=""
for package in $packages; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing="$missing $package"
done

if [ -z "$missing" ]; then
  echo "setup: everything is installed"
  exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1; then
  as_root="sudo"
else
  echo "setup: missing:$missing" >&2
  echo "setup: run this script as root, or install sudo" >&2
  exit 1
fi

echo "setup: installing from Debian:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "setup: done"
