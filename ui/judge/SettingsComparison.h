#pragma once

#include "document/Document.h"

#include <QObject>
#include <utility>
#include <vector>

namespace blendscope {

/// Runs several settings on one scene, one after the other as its results: the scene shown, or one that is simulated
/// first.
class SettingsComparison final : public QObject {
    Q_OBJECT

public:
    explicit SettingsComparison(Document* document, QObject* parent = nullptr);

    using Named = std::pair<QString, Pipeline>;
    /// threshold with deblending contrast 0.005 and 0.0005.
    [[nodiscard]] static std::vector<Named> contrasts();

    void onScene(std::vector<Named> pipelines = contrasts());
    void onSimulation(const QString& recipe, std::uint64_t seed, std::vector<Named> pipelines = contrasts());

private:
    void tryStart();

    Document* m_document;
    std::vector<Named> m_waiting;
    ScenePtr m_before; ///< the scene that was shown when a simulation was asked for
    bool m_simulating = false;
};

} // namespace blendscope
