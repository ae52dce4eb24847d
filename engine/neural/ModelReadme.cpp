#include "neural/ModelReadme.h"

#include "core/Error.h"

#include <QSaveFile>
#include <QStringList>
#include <utility>

namespace blendscope {

void writeModelReadme(const QString& folder, const QJsonObject& card) {
    const auto text = [&](const char* key) { return card.value(QLatin1String(key)).toString(); };
    const QJsonObject metrics = card.value(QStringLiteral("metrics")).toObject();
    const QJsonObject validation = metrics.value(QStringLiteral("validation")).toObject();
    const QJsonObject test = metrics.value(QStringLiteral("test")).toObject();
    QString out = QStringLiteral("# A model for %1\n\n").arg(text("method"));
    out +=
        QStringLiteral("%L1 parameters, trained for %2 steps in %3 minutes on %4 (%5 threads), LibTorch %6, seed %7. "
                       "The weights are those of step %8, the best on the validation set by %9.\n\n")
            .arg(card.value(QStringLiteral("parameters")).toInteger())
            .arg(card.value(QStringLiteral("steps")).toInteger())
            .arg(card.value(QStringLiteral("training_seconds")).toDouble() / 60.0, 0, 'f', 1)
            .arg(text("device"))
            .arg(card.value(QStringLiteral("threads")).toInt())
            .arg(text("libtorch"))
            .arg(card.value(QStringLiteral("seed")).toInteger())
            .arg(card.value(QStringLiteral("best_step")).toInteger())
            .arg(text("headline"));
    out += QStringLiteral("![Training curves](curves.svg)\n\n| metric | validation | test |\n| --- | --- | --- |\n");
    for (auto it = validation.begin(); it != validation.end(); ++it) {
        const auto number = [](const QJsonValue& v) {
            return v.isDouble() ? QString::number(v.toDouble(), 'g', 4) : QString();
        };
        out += QStringLiteral("| %1 | %2 | %3 |\n").arg(it.key(), number(it.value()), number(test.value(it.key())));
    }
    const std::pair<const char*, QString> sections[] = {
        {"data", QStringLiteral("Data")}, {"limits", QStringLiteral("Limits")}, {"licence", QStringLiteral("Licence")}};
    for (const auto& [key, title] : sections) {
        if (!text(key).isEmpty()) out += QStringLiteral("\n%1: %2\n").arg(title, text(key));
    }
    out += QStringLiteral("\nThe same again, from this folder:\n\n```sh\n%1\n```\n").arg(text("command"));
    QSaveFile file(folder + QStringLiteral("/README.md"));
    const QByteArray bytes = out.toUtf8();
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(file.fileName(), file.errorString()));
}

} // namespace blendscope
