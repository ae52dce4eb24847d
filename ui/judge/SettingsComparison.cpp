#include "judge/SettingsComparison.h"

namespace blendscope {

SettingsComparison::SettingsComparison(Document* document, QObject* parent) : QObject(parent), m_document(document) {
    connect(m_document, &Document::currentSceneChanged, this, [this] {
        if (m_document->scene() != m_before) m_simulating = false;
        tryStart();
    });
    connect(m_document, &Document::registryChanged, this, &SettingsComparison::tryStart);
    connect(m_document, &Document::idle, this, [this] {
        if (std::exchange(m_simulating, false)) m_waiting.clear(); // cancelled, or it failed and said so
    });
}

std::vector<SettingsComparison::Named> SettingsComparison::contrasts() {
    std::vector<Named> both;
    for (const double contrast : {0.005, 0.0005}) {
        Pipeline p = Pipeline::parse(QStringLiteral("threshold"));
        p.set(QStringLiteral("threshold.DEBLEND_MINCONT=%1").arg(contrast));
        both.emplace_back(tr("threshold, contrast %1").arg(contrast), std::move(p));
    }
    return both;
}

void SettingsComparison::onScene(std::vector<Named> pipelines) {
    m_waiting = std::move(pipelines);
    m_simulating = false;
    tryStart();
}

void SettingsComparison::onSimulation(const QString& recipe, std::uint64_t seed, std::vector<Named> pipelines) {
    m_waiting = std::move(pipelines);
    m_before = m_document->scene();
    m_simulating = true;
    m_document->simulate(recipe, seed);
}

void SettingsComparison::tryStart() {
    if (m_waiting.empty() || m_simulating || !m_document->scene() || !m_document->registry()) return;
    for (const auto& [name, pipeline] : std::exchange(m_waiting, {})) {
        m_document->run(pipeline, name);
    }
}

} // namespace blendscope
