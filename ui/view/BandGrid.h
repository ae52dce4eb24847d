#pragma once

#include "view/SceneView.h"

#include <QWidget>
#include <vector>

class QGridLayout;

namespace blendscope {

class ViewGroup;

/// All bands of a scene side by side, one linked view a band, the colour picture first where there are bands enough.
class BandGrid final : public QWidget {
    Q_OBJECT

public:
    explicit BandGrid(QWidget* parent = nullptr);
    ~BandGrid() override;

    void setScene(ScenePtr scene, std::shared_ptr<SceneSamples> samples = {});
    void setResult(ResultPtr result);
    void setOverlays(const OverlayStyle& style);
    void setSelection(ViewSelection selection);
    [[nodiscard]] ViewGroup* group() const { return m_group; }
    [[nodiscard]] const std::vector<SceneView*>& views() const { return m_views; }
    /// Columns in which `panels` panels show a scene of this aspect (width over height) largest in an area.
    [[nodiscard]] static int columnsFor(int panels, QSize area, double aspect);

Q_SIGNALS:
    void selectionChanged(blendscope::ViewSelection selection);
    void hoveredChanged(blendscope::ViewSelection hovered);
    void readoutChanged(const blendscope::ViewReadout& readout);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void arrange();

    QGridLayout* m_layout;
    ViewGroup* m_group;
    std::vector<SceneView*> m_views;
    ResultPtr m_result;
    OverlayStyle m_style;
    int m_columns = 0, m_arranged = 0;
    bool m_colour = false; ///< the first view is the colour picture
};

} // namespace blendscope
