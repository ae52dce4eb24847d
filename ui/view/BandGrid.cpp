#include "view/BandGrid.h"

#include "figure/Palette.h"
#include "view/SceneSamples.h"
#include "view/ViewGroup.h"

#include <QGridLayout>
#include <algorithm>

namespace blendscope {

BandGrid::BandGrid(QWidget* parent) : QWidget(parent), m_layout(new QGridLayout(this)), m_group(new ViewGroup(this)) {
    m_layout->setContentsMargins(0, 0, 0, 0);
    m_layout->setSpacing(2);
    QPalette ground = palette();
    ground.setColor(QPalette::Window, look::canvas());
    setPalette(ground);
    setAutoFillBackground(true);
}

BandGrid::~BandGrid() = default;

void BandGrid::setScene(ScenePtr scene, std::shared_ptr<SceneSamples> samples) {
    if (scene && !samples) samples = std::make_shared<SceneSamples>(scene);
    m_result = nullptr;
    const size_t bands = scene ? scene->bands.size() : 0;
    m_colour = bands > 1;
    const size_t wanted = bands + (m_colour ? 1 : 0);
    while (m_views.size() > wanted) {
        m_group->remove(m_views.back());
        delete m_views.back();
        m_views.pop_back();
    }
    while (m_views.size() < wanted) {
        auto* view = new SceneView(this);
        connect(view, &SceneView::selectionChanged, this,
                [this](ViewSelection selection) { Q_EMIT selectionChanged(selection); });
        connect(view, &SceneView::hoveredChanged, this, &BandGrid::hoveredChanged);
        connect(view, &SceneView::readoutChanged, this, &BandGrid::readoutChanged);
        m_views.push_back(view);
    }
    for (size_t i = 0; i < m_views.size(); ++i) {
        m_group->remove(m_views[i]); // no echoes while the scene changes
        m_views[i]->setScene(scene, samples);
        OverlayStyle style = m_style;
        style.compass = style.compass && i == 0;
        style.scaleBar = style.scaleBar && i == 0;
        m_views[i]->setOverlays(style);
        const bool colour = m_colour && i == 0;
        const size_t band = i - (m_colour ? 1 : 0);
        if (!colour) {
            ViewDisplay display = m_views[i]->display();
            display.curve = Curve::Asinh; // a dark sky beside the colour picture
            m_views[i]->setDisplay(display);
            m_views[i]->showBand(static_cast<int>(band));
            m_views[i]->autoCuts(CutsMode::Sky);
        }
        m_views[i]->setCaption(colour ? tr("colour") : scene->bands[band].name);
    }
    m_arranged = 0; // other views, or another aspect
    arrange();
    for (SceneView* view : m_views) {
        m_group->add(view);
    }
}

int BandGrid::columnsFor(int panels, QSize area, double aspect) {
    int best = 1;
    double most = 0.0;
    for (int columns = 1; columns <= panels; ++columns) {
        const int rows = (panels + columns - 1) / columns;
        // The scene's size in one panel; places that stay empty count a little against a division.
        const double w = double(area.width()) / columns, h = double(area.height()) / rows;
        const double side = std::min(w, h * aspect) * (1.0 - 0.04 * (rows * columns - panels));
        if (side > most + 1e-9) {
            most = side;
            best = columns;
        }
    }
    return best;
}

void BandGrid::arrange() {
    const int n = static_cast<int>(m_views.size());
    if (n == 0) return;
    const cv::Size scene = m_views.front()->scene() ? m_views.front()->scene()->size : cv::Size(1, 1);
    const int columns = columnsFor(n, size(), double(scene.width) / std::max(1, scene.height));
    const int rows = (n + columns - 1) / columns;
    if (columns == m_columns && n == m_arranged) return;
    m_columns = columns;
    m_arranged = n;
    // The colour picture takes the places that would stay empty.
    const int first = 1 + rows * columns - n;
    for (SceneView* view : m_views) {
        m_layout->removeWidget(view);
    }
    for (int i = 0, cell = 0; i < n; ++i) {
        const int span = i == 0 ? first : 1;
        m_layout->addWidget(m_views[static_cast<size_t>(i)], cell / columns, cell % columns, 1, span);
        cell += span;
    }
    for (int i = 0; i < std::max({m_layout->columnCount(), m_layout->rowCount(), columns, rows}); ++i) {
        m_layout->setColumnStretch(i, i < columns ? 1 : 0);
        m_layout->setRowStretch(i, i < rows ? 1 : 0);
    }
}

void BandGrid::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrange();
}

void BandGrid::setResult(ResultPtr result) {
    m_result = std::move(result);
    for (SceneView* view : m_views) {
        view->setResult(m_result);
    }
}

void BandGrid::setOverlays(const OverlayStyle& style) {
    m_style = style;
    for (size_t i = 0; i < m_views.size(); ++i) {
        OverlayStyle own = style;
        own.compass = own.compass && i == 0;
        own.scaleBar = own.scaleBar && i == 0;
        m_views[i]->setOverlays(own);
    }
}

void BandGrid::setSelection(ViewSelection selection) {
    if (!m_views.empty()) m_views.front()->setSelection(selection);
}

} // namespace blendscope
