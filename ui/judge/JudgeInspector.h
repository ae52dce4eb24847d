#pragma once

#include "document/LatestTask.h"
#include "image/Display.h"
#include "judge/JudgeController.h"

#include <QWidget>

class QLabel;
class QScrollArea;
class QTimer;
class QToolButton;

namespace blendscope {

class BlendHeading;
class JudgedBoard;
class Section;

/// The judged blend that is selected: outcome, counts, the drawing of truth and detections, every object alone, and
/// verdicts in words; what the scene's other results made of the same blend.
class JudgeInspector final : public QWidget {
    Q_OBJECT

public:
    JudgeInspector(Document* document, JudgeController* judge, QWidget* parent = nullptr);
    ~JudgeInspector() override;

    void setRgb(const RgbSettings& rgb);
    void refreshTheme() { refresh(); }
    [[nodiscard]] bool settled() const;
    [[nodiscard]] JudgedBoard* board() const { return m_board; }
    [[nodiscard]] QString words() const; ///< all that is written, for tests

Q_SIGNALS:
    void stepRequested(int steps);
    void evidenceRequested(int row); ///< of JudgeController::evidence: show it in the picture
    void showRequested();            ///< bring the blend into the picture

private:
    void refresh();
    void render();

    Document* m_document;
    JudgeController* m_judge;
    RgbSettings m_rgb;
    JudgementPtr m_shown;
    int m_shownBlend = 0;
    bool m_waiting = false;
    std::uint64_t m_request = 0;

    BlendHeading* m_heading;
    QLabel* m_story;
    JudgedBoard* m_board;
    QToolButton* m_shade;
    QLabel* m_objects;
    Section* m_objectsSection;
    QLabel* m_detections;
    QLabel* m_others;
    QWidget* m_page;
    QLabel* m_empty;
    QScrollArea* m_scroll;
    QTimer* m_wait;
    LatestTask m_task;
};

} // namespace blendscope
