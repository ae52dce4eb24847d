#pragma once

#include <QJsonObject>
#include <QString>

namespace blendscope {

/// README.md of a model folder: what its card says, for a person; names curves.svg, which the programs draw beside it.
/// Throws WriteError.
void writeModelReadme(const QString& folder, const QJsonObject& card);

} // namespace blendscope
