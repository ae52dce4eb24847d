#pragma once

#include "document/Document.h"
#include "panels/StretchPanel.h"
#include "view/ViewTypes.h"

#include <QWidget>

class QSplitter;
class QStackedLayout;

namespace blendscope {

class BandGrid;
class SceneView;
class ViewGroup;

/// The picture in the middle: one view, two side by side for two results of a scene with linked cameras, or a grid of
/// all bands. Keeps them in step with the document.
class ViewArea final : public QWidget {
    Q_OBJECT

public:
    using Mode = StretchPanel::Mode;

    explicit ViewArea(Document* document, QWidget* parent = nullptr);
    ~ViewArea() override;

    [[nodiscard]] SceneView* view() const { return m_main; }
    [[nodiscard]] SceneView* secondView() const { return m_second; } ///< null unless comparing
    [[nodiscard]] Mode mode() const { return m_mode; }
    void setMode(Mode mode);
    void showBand(int band); ///< alone
    [[nodiscard]] const ViewDisplay& display() const;
    void setDisplay(const ViewDisplay& display);
    void autoCuts(CutsMode mode);
    void resetColours();
    [[nodiscard]] const OverlayStyle& overlays() const { return m_style; }
    void setOverlays(const OverlayStyle& style);
    void setPlacing(bool on); ///< as SceneView::setPlacing
    /// The scene's grid with other pixels (something injected); null: its own again.
    void showInstead(ScenePtr scene);
    /// Judged blends of the result shown, and of the one beside it.
    void setOutcomes(std::vector<OutcomeMark> marks, std::vector<OutcomeMark> beside = {});
    void setDimmed(const std::vector<int>& objectIds);

    [[nodiscard]] bool comparing() const { return m_second != nullptr; }
    /// The current result on the left, another one of the scene on the right.
    void setComparing(bool on);
    [[nodiscard]] int otherResult() const { return m_otherResult; } ///< id, 0 = none
    /// Brings a part of the scene into the picture, with its neighbourhood.
    void showBox(const Box& box, bool zoom);
    /// Brings the selected blend into the picture: centred if it is out of sight, or zoomed to it.
    void showSelection(bool zoom);
    [[nodiscard]] bool settled() const;
    [[nodiscard]] QColor objectColor(int id) const;

Q_SIGNALS:
    void displayChanged();
    void overlaysChanged();
    void readoutChanged(const blendscope::ViewReadout& readout);
    void placed(QPointF image, bool released);
    void clicked(QPointF image); ///< after what the click selected
    void menuRequested(QPoint globalPosition, QPointF image);
    void modeChanged();

private:
    void connectView(SceneView* view);
    void onScene();
    void onResult();
    void onSelection();
    void onHover();
    void refreshCaptions();
    void dropSecond();
    void markCounterpart(); ///< on the right, what the left has selected
    [[nodiscard]] ResultPtr other() const;

    Document* m_document;
    SceneView* m_main;
    SceneView* m_second = nullptr;
    BandGrid* m_grid = nullptr;
    ViewGroup* m_group;
    QSplitter* m_splitter;
    QStackedLayout* m_stack;
    Mode m_mode = Mode::Rgb;
    OverlayStyle m_style;
    int m_otherResult = 0;
    int m_singleBand = -1; ///< shown last alone; -1 = none of this scene yet
    bool m_busy = false;
    ScenePtr m_scene;
};

} // namespace blendscope
