#pragma once

#include <QIcon>
#include <QString>

namespace blendscope {

/// An icon by name, drawn as vectors in the colour of the current palette, sharp at every scale: "open", "run", "stop",
/// "parameters", "previous", "next", "rgb", "single", "grid", "compare", "blink", "search", "help", "save", "close",
/// "error", "warning", "notice", "eye", "fit", "demo", "folder", "theme". An unknown name gives an empty icon.
[[nodiscard]] QIcon themeIcon(const QString& name);

/// The program's own icon: two overlapping galaxies.
[[nodiscard]] QIcon applicationIcon();

} // namespace blendscope
