#pragma once

#include "document/Document.h"
#include "document/LatestTask.h"
#include "figure/BlendPictures.h"

#include <QWidget>
#include <functional>

class QLabel;
class QScrollArea;
class QToolButton;
class QTimer;

namespace blendscope {

class BlendHeading;
class PictureBoard;
class ProbabilityBars;
class SearchWalk;
class SpectrumChart;
class Section;

/// What happened to the selected blend: data, model, residual and every component, the spectra, numbers, and words.
/// Pictures are rendered in a thread of their own.
class InspectorPanel final : public QWidget {
    Q_OBJECT

public:
    explicit InspectorPanel(Document* document, QWidget* parent = nullptr);
    ~InspectorPanel() override;
    /// Colours of the picture, so that both look alike.
    void setRgb(const RgbSettings& rgb);
    void setObjectColor(std::function<QColor(int)> color) { m_color = std::move(color); }
    void refreshTheme() { refreshTexts(); }
    [[nodiscard]] bool settled() const; ///< nothing is left to render
    [[nodiscard]] PictureBoard* board() const { return m_board; }
    [[nodiscard]] ProbabilityBars* counts() const { return m_counts; }
    [[nodiscard]] SearchWalk* search() const { return m_walk; } ///< the states of the search that found the objects
    [[nodiscard]] QString words() const;                        ///< what is written about the blend, for tests
    /// The blend's story in words: how many objects, how they overlap, what the deblender said.
    [[nodiscard]] static QString story(const Result& result, const Blend& blend);

Q_SIGNALS:
    void stepRequested(int steps);
    void showRequested(); ///< bring the blend into the picture

private:
    void refresh();
    void render();
    void refreshTexts();
    void refreshCounts(const Blend& blend);

    Document* m_document;
    RgbSettings m_rgb;
    std::function<QColor(int)> m_color;
    ComponentForm m_form = ComponentForm::Model;
    int m_shownBlend = 0;
    ResultPtr m_shownResult;
    bool m_waiting = false;
    std::uint64_t m_request = 0;

    BlendHeading* m_heading;
    QLabel* m_story;
    QWidget* m_empty;
    QLabel* m_emptyText;
    QScrollArea* m_scroll;
    QToolButton* m_model;
    QToolButton* m_share;
    PictureBoard* m_board;
    PictureBoard* m_bands;
    ProbabilityBars* m_counts; ///< of the blend: how many objects
    ProbabilityBars* m_kinds;  ///< of the object: star or galaxy
    SpectrumChart* m_spectrum;
    QLabel* m_objects;
    QLabel* m_details;
    Section* m_detailsSection;
    Section* m_bandsSection;
    SearchWalk* m_walk;
    Section* m_walkSection;
    QTimer* m_wait;
    LatestTask m_task;
};

} // namespace blendscope
