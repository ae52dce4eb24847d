#pragma once

#include "judge/JudgeController.h"
#include "view/ViewTypes.h"

#include <QObject>

namespace blendscope {

class InjectPanel;
class InjectTool;
class JudgeInspector;
class JudgePanel;
class MetricsView;
class OutcomePanel;
class SettingsComparison;
class ViewArea;

/// Everything of Judge mode: its panels, what the picture shows while it is on, and the ways to get something judged.
/// The window puts the panels into its docks.
class JudgeMode final : public QObject {
    Q_OBJECT

public:
    JudgeMode(Document* document, ViewArea* view, QObject* parent = nullptr);

    [[nodiscard]] JudgeController* controller() const { return m_judge; }
    [[nodiscard]] OutcomePanel* strip() const { return m_strip; }
    [[nodiscard]] JudgeInspector* inspector() const { return m_inspector; }
    [[nodiscard]] JudgePanel* panel() const { return m_panel; }
    [[nodiscard]] InjectTool* injection() const { return m_inject; }
    [[nodiscard]] InjectPanel* injectPanel() const { return m_injectPanel; }
    [[nodiscard]] MetricsView* metrics() const { return m_metrics; }
    [[nodiscard]] SettingsComparison* comparison() const { return m_comparison; }

    [[nodiscard]] bool on() const { return m_on; }
    void setOn(bool on);
    void step(int steps); ///< the next blend of the strip, brought into the picture
    void showSelected(bool zoom);
    /// Selects the first blend that is not simply recognized.
    void selectTelling();
    void setRgb(const RgbSettings& rgb);
    void refreshTheme();
    [[nodiscard]] bool settled() const;

Q_SIGNALS:
    void pictureWanted(); ///< something is to be seen in the picture, not in the plots

private:
    void refreshMarks();
    void refreshInjection();
    [[nodiscard]] std::vector<OutcomeMark> marksOf(const JudgementPtr& judgement, int selected) const;

    Document* m_document;
    ViewArea* m_view;
    JudgeController* m_judge;
    OutcomePanel* m_strip;
    JudgeInspector* m_inspector;
    JudgePanel* m_panel;
    SettingsComparison* m_comparison;
    InjectTool* m_inject;
    InjectPanel* m_injectPanel;
    MetricsView* m_metrics;
    OverlayStyle m_lookStyle, m_judgeStyle;
    bool m_on = false;
};

} // namespace blendscope
