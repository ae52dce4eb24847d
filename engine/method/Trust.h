#pragma once

#include <QByteArray>
#include <QString>

namespace blendscope {

/// TorchScript files are programs: one runs only after its user has said once that it may. What is trusted is the
/// content (SHA-256), not the name; it is remembered in trusted-models.json of the user's settings
/// (~/.config/blendscope).
namespace trust {

/// SHA-256 of a file in hexadecimal. Throws ReadError.
[[nodiscard]] QString digest(const QString& path);
[[nodiscard]] QString digestOf(const QByteArray& content);

[[nodiscard]] bool isTrusted(const QString& digest);

/// From now on content of this digest may run; `path` is remembered for the reader of the list alone. Throws
/// WriteError.
void remember(const QString& digest, const QString& path);

/// Where the list is.
[[nodiscard]] QString listPath();

} // namespace trust
} // namespace blendscope
